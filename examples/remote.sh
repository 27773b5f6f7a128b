#!/bin/sh
# Develop a folder on a stronger machine.
#
# There, once (a certificate of your own will do; the token is a secret that both machines know):
#
#     export RAWFIX_TOKEN=$(openssl rand -hex 32)
#     rawfix serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem
#
# Here:
#
#     export RAWFIX_TOKEN=… RAWFIX_SERVER=https://studio:8787
#     examples/remote.sh CARD OUT [any option of rawfix develop, such as --server-ca cert.pem]
#
# Without rawfix on this machine, one picture by curl:
#
#     curl -fH "Authorization: Bearer $RAWFIX_TOKEN" -F raw=@a.dng -F 'options={"settings": {"format": "jpeg"}}' \
#          "$RAWFIX_SERVER/v1/develop" -o a.jpg
#
# Exits as rawfix did. The same command again goes on where it was stopped. RAWFIX names the program to run.
set -u
if [ $# -lt 2 ] || [ -z "${RAWFIX_SERVER:-}" ]; then
  echo "usage: RAWFIX_SERVER=URL RAWFIX_TOKEN=TOKEN $0 CARD OUT [options]" >&2
  exit 2
fi
card=$1 out=$2
shift 2

# Two files at a time: while one is developed there, the next one is sent.
${RAWFIX:-rawfix} develop "$card" --recursive -o "$out" --server "$RAWFIX_SERVER" --update --jobs 2 "$@"
code=$?

case $code in
  0) echo "all done" ;;
  1) echo "some files were refused; the lines above say which, and why" ;;
  2) echo "the server did not accept the token or an option" >&2 ;;
  5) echo "nothing was developed; is rawfix serve running at $RAWFIX_SERVER?" >&2 ;;
  130) echo "interrupted; run the same command again to go on" ;;
esac
exit $code
