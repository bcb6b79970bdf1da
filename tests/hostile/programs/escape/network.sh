#| what = "Reaches for the network with the tools of the system: bash, curl, wget, ping, nc, ssh"
#| covers = ["loopback", "host network", "metadata addresses", "DNS"]
#| verdict = ["accepted"]
got=
read -r line
port=$(printf '%s' "$line" | sed 's/.*"tcp_port":\([0-9]*\).*/\1/')
host=$(printf '%s' "$line" | sed 's/.*"host_address":"\([^"]*\)".*/\1/')
for address in 127.0.0.1 "$host" localhost 169.254.169.254; do
    [ -n "$address" ] || continue
    said=$(timeout 2 bash -c "exec 3<> /dev/tcp/$address/$port && head -c 20 <&3" 2> /dev/null)
    [ -z "$said" ] || got="$got; bash: $address said $said"
    if command -v curl > /dev/null; then
        said=$(timeout 2 curl -s "http://$address:$port/" 2> /dev/null)
        [ -z "$said" ] || got="$got; curl: $address said $said"
    fi
    if command -v wget > /dev/null; then
        said=$(timeout 2 wget -q -O - "http://$address:$port/" 2> /dev/null)
        [ -z "$said" ] || got="$got; wget: $address said $said"
    fi
done
for name in example.com metadata.google.internal; do
    if timeout 2 getent hosts "$name" > /dev/null 2>&1; then got="$got; resolved $name"; fi
done
if [ -n "$host" ] && timeout 2 bash -c "echo x > /dev/udp/$host/9" 2> /dev/null; then got="$got; sent to $host"; fi
echo "${got:-contained}"
