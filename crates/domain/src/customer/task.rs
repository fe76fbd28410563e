//! What each task of the voice desk needs of a record, and no more: the allow-list behind every tool.

use super::Field;

/// What the agent is doing for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Finding out who calls.
    Verify,
    /// Saying which orders there are.
    ListOrders,
    /// Saying how far one order is.
    OrderStatus,
    /// Saying which appointments there are.
    ListAppointments,
    /// Making one.
    MakeAppointment,
}

impl Task {
    /// Every task.
    pub const ALL: [Self; 5] =
        [Self::Verify, Self::ListOrders, Self::OrderStatus, Self::ListAppointments, Self::MakeAppointment];

    /// The fields a model may be told for it.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            // Whoever proved to be the customer knows all of it; whoever did not learns nothing.
            Self::Verify => &[],
            Self::ListOrders => &[Field::Order, Field::Placed, Field::Status],
            Self::OrderStatus => &[Field::Order, Field::Status, Field::Expected, Field::Items],
            Self::ListAppointments | Self::MakeAppointment => {
                &[Field::Appointment, Field::Start, Field::Service]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::Class;

    #[test]
    fn no_task_needs_what_is_restricted_or_tells_who_somebody_is() {
        for field in Task::ALL.iter().flat_map(|task| task.fields()) {
            assert!(field.class() < Class::Restricted, "{field:?}");
            assert!(![Field::Name, Field::Phone, Field::Email, Field::Address].contains(field), "{field:?}");
        }
    }
}
