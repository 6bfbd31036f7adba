# The API alone; its database is somewhere else (docker-compose.yml shows how).

FROM rust:1.95-bookworm AS build
WORKDIR /src
# The image's own toolchain: rust-toolchain.toml would add rustfmt and clippy, which a build has no use for.
ENV RUSTUP_TOOLCHAIN=1.95.0
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin samverkan \
    && cp target/release/samverkan /usr/local/bin/samverkan

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --shell /usr/sbin/nologin --home-dir /var/lib/samverkan samverkan \
    && install --directory --owner=samverkan --group=samverkan --mode=0700 /var/lib/samverkan
COPY --from=build /usr/local/bin/samverkan /usr/local/bin/samverkan
USER samverkan
# The signing keys live in the data directory: give it a volume, or every new container logs everybody out.
ENV SAMVERKAN_BIND=0.0.0.0:8080 \
    SAMVERKAN_DATA_DIR=/var/lib/samverkan \
    SAMVERKAN_LOG_FORMAT=json
EXPOSE 8080
# The image has no HTTP client, but bash speaks TCP. "Live" and not "ready": a database that is away for a while is no
# reason to replace the API.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/${SAMVERKAN_BIND##*:} && printf 'GET /health/live HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["samverkan"]
CMD ["serve"]
