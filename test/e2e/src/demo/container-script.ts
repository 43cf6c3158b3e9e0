/** What the container does: says where it is, meets its neighbours, then ticks until it is told to end. */
export function containerScript(server: string): string {
  return `
echo "hostname:  $(hostname)"
echo "address:   $(ip -4 -o address show dev eth0 | tr -s ' ' | cut -d' ' -f4)"
echo "processes: $(ps -o pid,comm | tail -n +2 | tr -s ' ' | tr '\\n' ',')"
echo "server:    $(printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${server} 8080 | tail -n 1)"
mkdir -p /tmp/www && echo "hello from the container" > /tmp/www/index.html
httpd -p 8080 -h /tmp/www
trap 'echo "told to end"; exit 7' TERM
i=0
while true; do i=$((i + 1)); echo "tick $i"; sleep 0.5 & wait $!; done
`;
}
