# Requests made from our own description of the API, by the thousand, with a key and without: no server
# error, no answer that ignores a missing or wrong key, no answer the description does not know.
import os
import subprocess
import sys
import tempfile

base = os.environ["OPENAI_BASE_URL"].removesuffix("/v1")
key = os.environ["OPENAI_API_KEY"]


def run(name, checks, *more):
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{base}/openapi.json", f"--url={base}",
        f"--checks={checks}", "--max-examples=25", "--max-time=45", "--seed=7", "--workers=2", "--phases=examples,coverage,fuzzing",
        f"--tls-verify={os.environ['SSL_CERT_FILE']}", "--request-timeout=20", "--no-color", *more,
    ]
    # It keeps notes of failures where it runs.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=folder)
    # What it prints may repeat the key, which is a test's own.
    print(f"== {name}\n{done.stdout[-6000:]}{done.stderr[-2000:]}")
    if done.returncode != 0:
        sys.exit(f"{name}: schemathesis found something")


run(
    "with a key",
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth",
    "--header", f"Authorization: Bearer {key}",
)
run("without a key", "not_a_server_error,ignored_auth")
print("the conversation is complete")
