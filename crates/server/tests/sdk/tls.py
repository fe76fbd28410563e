# What a TLS scanner sees: TLS 1.3 alone, strong suites, strong groups, and Mozilla's "modern" kept.
import os
from urllib.parse import urlsplit

from sslyze import Scanner, ServerNetworkLocation, ServerScanRequest
from sslyze.mozilla_tls_profile.tls_config_checker import (
    MozillaTlsConfiguration, ServerNotCompliantWithTlsConfiguration, TlsConfigurationEnum,
    check_server_against_tls_configuration,
)

place = urlsplit(os.environ["OPENAI_BASE_URL"])
location = ServerNetworkLocation(hostname=place.hostname, port=place.port, ip_address="127.0.0.1")
scanner = Scanner()
scanner.queue_scans([ServerScanRequest(server_location=location)])
[result] = list(scanner.get_results())
found = result.scan_result
assert found is not None, result.connectivity_error_trace

old = ["ssl_2_0_cipher_suites", "ssl_3_0_cipher_suites", "tls_1_0_cipher_suites", "tls_1_1_cipher_suites", "tls_1_2_cipher_suites"]
for name in old:
    accepted = getattr(found, name).result.accepted_cipher_suites
    assert not accepted, f"{name}: {[one.cipher_suite.name for one in accepted]}"
modern = {one.cipher_suite.name for one in found.tls_1_3_cipher_suites.result.accepted_cipher_suites}
print("TLS 1.3 suites:", sorted(modern))
assert modern and modern <= {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
assert not found.heartbleed.result.is_vulnerable_to_heartbleed
assert not found.tls_compression.result.supports_compression
try:
    modern = MozillaTlsConfiguration.get(TlsConfigurationEnum.MOZILLA_MODERN)
    check_server_against_tls_configuration(result, modern)
except ServerNotCompliantWithTlsConfiguration as trouble:
    # A local authority is in no browser's store and its certificates live 90 days; the rest must hold.
    others = {name: why for name, why in trouble.issues.items() if "certificate" not in name}
    print("about the certificate:", {name: why for name, why in trouble.issues.items() if name not in others})
    assert not others, others
print("the conversation is complete")
