#!/bin/sh
# Serves with the operator's certificate, or with one of its own making until there is a better one.
set -eu
cd /certificates
if [ ! -s tls.crt ] || [ ! -s tls.key ]; then
    umask 077
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj "/CN=$ONEMAP_HOSTNAME" \
        -addext "subjectAltName=DNS:$ONEMAP_HOSTNAME" -keyout tls.key.new -out tls.crt.new
    mv tls.key.new tls.key
    mv tls.crt.new tls.crt
    echo "proxy: made a self-signed certificate for $ONEMAP_HOSTNAME; put your own tls.crt and tls.key into the volume" >&2
fi
exec nginx -g 'daemon off;'
