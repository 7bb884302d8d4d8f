# Rootless: runs as a user of its own, needs no writable system, and keeps nothing.
#
#   docker build -t stsguard .
#   docker run --rm --read-only --tmpfs /tmp -v "$PWD:/audit:ro" stsguard audit cfn:stack.yaml
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml hatch_build.py constraints.txt README.md LICENSE ./
COPY pytest_stsguard ./pytest_stsguard
COPY checks ./checks
COPY reports ./reports
RUN python -m venv /opt/stsguard \
    && /opt/stsguard/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt '.[saml]'

FROM python:3.13-slim
COPY --from=build /opt/stsguard /opt/stsguard
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin stsguard
ENV PATH=/opt/stsguard/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /audit
ENTRYPOINT ["stsguard"]
CMD ["--help"]
