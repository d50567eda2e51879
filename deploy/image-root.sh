#!/bin/sh
# Puts together the whole file system of the image: image-root.sh BINARY FOLDER
set -eu
binary=$1 root=$2

mkdir -p "$root/usr/local/bin" "$root/etc/ssl/certs" "$root/etc/kubemend" "$root/var/lib/kubemend" "$root/tmp"
cp "$binary" "$root/usr/local/bin/kubemend"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo 'kubemend:x:65532:65532::/var/lib/kubemend:/sbin/nologin' >"$root/etc/passwd"
echo 'kubemend:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"

# The dynamic linker and the libraries that it loads for the binary, each where it is looked for.
ldd "$binary" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
