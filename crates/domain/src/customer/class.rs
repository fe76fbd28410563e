//! How sensitive each field of a customer's record is, and what follows from it: one table, and its rules.

use serde::Serialize;

use crate::{Action, control::Numbers, enforced, model::Place};

/// How sensitive something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Anybody may know it: opening hours, services.
    Public,
    /// Of the desk's own work; tells little about anybody by itself.
    Internal,
    /// Tells who somebody is, or what they do.
    Confidential,
    /// Opens other doors, or hurts when it is known.
    Restricted,
}

impl Class {
    /// Every class, the mildest first.
    pub const ALL: [Self; 4] = [Self::Public, Self::Internal, Self::Confidential, Self::Restricted];

    /// What it is called.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Restricted => "restricted",
        }
    }

    /// Who: the right staff need to see it.
    #[must_use]
    pub fn right(self) -> Action {
        match self {
            Self::Public | Self::Internal | Self::Confidential => Action::ReadCustomers,
            Self::Restricted => {
                enforced!(CUS02);
                Action::ReadRestricted
            }
        }
    }

    /// Where: whether a model at `place` may be told it.
    #[must_use]
    pub fn may_be_told_at(self, place: &Place) -> bool {
        let is_here = matches!(place, Place::ThisMachine | Place::Endpoint { loopback: true, .. });
        match self {
            Self::Public | Self::Internal => true,
            Self::Confidential => {
                enforced!(CUS02);
                is_here
            }
            // No model is told these, wherever it runs.
            Self::Restricted => false,
        }
    }

    /// How long: the days after which it goes when nothing was heard of the customer.
    #[must_use]
    pub fn days(self, numbers: &Numbers) -> u32 {
        match self {
            Self::Public | Self::Internal | Self::Confidential => numbers.customer_days,
            Self::Restricted => numbers.restricted_days.min(numbers.customer_days),
        }
    }
}

/// A field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The customer's number.
    Reference,
    /// Since when they are a customer.
    Since,
    /// What they are called.
    Name,
    /// Their telephone.
    Phone,
    /// Their e-mail address.
    Email,
    /// Where they live.
    Address,
    /// When they were born.
    Born,
    /// What staff wrote down.
    Note,
    /// An order's number.
    Order,
    /// When it was placed.
    Placed,
    /// How far it is.
    Status,
    /// When it should arrive.
    Expected,
    /// What was ordered.
    Items,
    /// What it costs.
    Total,
    /// An appointment's number.
    Appointment,
    /// When it begins.
    Start,
    /// For what.
    Service,
}

/// Every field: its name in files and for tools, its title for people, its class.
pub const FIELDS: [(Field, &str, &str, Class); 17] = [
    (Field::Reference, "customer_id", "Customer", Class::Internal),
    (Field::Since, "since", "Customer since", Class::Internal),
    (Field::Name, "name", "Name", Class::Confidential),
    (Field::Phone, "phone", "Telephone", Class::Confidential),
    (Field::Email, "email", "E-mail", Class::Confidential),
    (Field::Address, "address", "Address", Class::Confidential),
    (Field::Born, "date_of_birth", "Date of birth", Class::Restricted),
    (Field::Note, "note", "Note", Class::Restricted),
    (Field::Order, "order_number", "Order", Class::Internal),
    (Field::Placed, "placed", "Placed", Class::Internal),
    (Field::Status, "status", "Status", Class::Internal),
    (Field::Expected, "expected", "Expected", Class::Internal),
    (Field::Items, "items", "Items", Class::Confidential),
    (Field::Total, "total", "Total", Class::Confidential),
    (Field::Appointment, "appointment_number", "Appointment", Class::Internal),
    (Field::Start, "start", "Begins", Class::Internal),
    (Field::Service, "service", "Service", Class::Internal),
];

impl Field {
    fn row(self) -> &'static (Self, &'static str, &'static str, Class) {
        // In the order of the variants; a test holds it.
        &FIELDS[self as usize]
    }

    /// Its name in files and for tools.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Its title for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().2
    }

    /// How sensitive it is.
    #[must_use]
    pub fn class(self) -> Class {
        self.row().3
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verifies;

    #[test]
    fn every_field_stands_in_its_own_row() {
        for (at, (field, name, ..)) in FIELDS.iter().enumerate() {
            assert_eq!((*field as usize, field.name()), (at, *name));
        }
    }

    #[test]
    fn the_class_decides_who_where_and_how_long() {
        let _proof = verifies!(CUS02);
        let away = Place::Endpoint { host: "models.example".to_owned(), loopback: false };
        let told = |place: &Place| -> Vec<Class> {
            Class::ALL.into_iter().filter(|class| class.may_be_told_at(place)).collect()
        };
        assert_eq!(told(&away), [Class::Public, Class::Internal]);
        assert_eq!(told(&Place::ThisMachine), [Class::Public, Class::Internal, Class::Confidential]);
        let rights: Vec<Action> = Class::ALL.into_iter().map(Class::right).collect();
        assert_eq!(rights[3], Action::ReadRestricted);
        assert!(rights[..3].iter().all(|right| *right == Action::ReadCustomers));
        let numbers = Numbers { customer_days: 100, restricted_days: 30, ..Numbers::default() };
        assert_eq!((Class::Restricted.days(&numbers), Class::Internal.days(&numbers)), (30, 100));
        let numbers = Numbers { customer_days: 10, restricted_days: 30, ..Numbers::default() };
        assert_eq!(Class::Restricted.days(&numbers), 10, "never longer than the rest");
    }
}
