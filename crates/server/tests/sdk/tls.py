# What a TLS scanner sees by a name that could be public: TLS 1.3 alone, strong suites and groups, Mozilla's "modern"
# kept, and the grade that SSL Labs' rating guide (version 2009r) makes of it. The local authority counts as
# trusted here, as a public one would be there; nothing else is taken as given.
import os
import socket
import ssl

from sslyze import Scanner, ServerNetworkLocation, ServerScanRequest
from sslyze.mozilla_tls_profile.tls_config_checker import (
    MozillaTlsConfiguration, ServerNotCompliantWithTlsConfiguration, TlsConfigurationEnum,
    check_server_against_tls_configuration,
)

name = os.environ["TROTH_NAME"]
location = ServerNetworkLocation(hostname=name, port=int(os.environ["TROTH_PORT"]), ip_address="127.0.0.1")
scanner = Scanner()
scanner.queue_scans([ServerScanRequest(server_location=location)])
[result] = list(scanner.get_results())
found = result.scan_result
assert found is not None, result.connectivity_error_trace

protocols = {"ssl_2_0": 0, "ssl_3_0": 80, "tls_1_0": 90, "tls_1_1": 95, "tls_1_2": 100, "tls_1_3": 100}
accepted = {
    name: getattr(found, f"{name}_cipher_suites").result.accepted_cipher_suites for name in protocols
}
for old in list(protocols)[:-1]:
    assert not accepted[old], f"{old}: {[one.cipher_suite.name for one in accepted[old]]}"
suites = {one.cipher_suite.name: one.cipher_suite.key_size for one in accepted["tls_1_3"]}
print("TLS 1.3 suites:", suites)
assert suites and set(suites) <= {
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
}
assert not found.heartbleed.result.is_vulnerable_to_heartbleed
assert not found.openssl_ccs_injection.result.is_vulnerable_to_ccs_injection
assert not found.tls_compression.result.supports_compression
assert not found.tls_1_3_early_data.result.supports_early_data

# The guide's three scores, of 100 each. A group counts as the RSA key that is as strong (NIST SP 800-57).
def key_exchange(bits):
    return 100 if bits >= 4096 else 90 if bits >= 2048 else 80 if bits >= 1024 else 40

def cipher(bits):
    return 100 if bits >= 256 else 80 if bits >= 128 else 20 if bits else 0

as_rsa = {"X25519": 3072, "secp256r1": 3072, "X448": 15360, "secp384r1": 7680, "secp521r1": 15360}
groups = {curve.name for curve in found.elliptic_curves.result.supported_curves}
print("groups:", groups)
assert groups and groups <= set(as_rsa), groups
spoken = [score for name, score in protocols.items() if accepted[name]]
sizes = suites.values()
score = (
    0.3 * (max(spoken) + min(spoken)) / 2
    + 0.3 * key_exchange(min(as_rsa[group] for group in groups))
    + 0.4 * (cipher(max(sizes)) + cipher(min(sizes))) / 2
)

# Refused unless the chain, the dates and the name are right.
context = ssl.create_default_context(cafile=os.environ["TROTH_AUTHORITY"])
with socket.create_connection((location.ip_address, location.port)) as plain:
    context.wrap_socket(plain, server_hostname=name).close()
hsts = found.http_headers.result.strict_transport_security_header
half_a_year = hsts is not None and hsts.max_age is not None and hsts.max_age >= 180 * 86400
# TLS 1.3 is forward secret whatever the suite, and nothing older was taken.
grade = ("A+" if half_a_year else "A") if score >= 80 else "B"
print(f"score {score:.0f}, grade {grade}")
assert grade == "A+", (score, hsts)

try:
    modern = MozillaTlsConfiguration.get(TlsConfigurationEnum.MOZILLA_MODERN)
    check_server_against_tls_configuration(result, modern)
except ServerNotCompliantWithTlsConfiguration as trouble:
    # A local authority is in no browser's store and its certificates live 90 days; the rest must hold.
    others = {name: why for name, why in trouble.issues.items() if "certificate" not in name}
    print("about the certificate:", {name: why for name, why in trouble.issues.items() if name not in others})
    assert not others, others
print("the conversation is complete")
