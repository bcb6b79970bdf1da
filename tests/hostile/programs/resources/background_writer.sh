#| what = "Leaves a shell loop behind that writes on"
#| covers = ["orphan", "SIGTERM ignored"]
#| verdict = ["accepted"]
(trap '' TERM HUP INT; while :; do echo alive >> /tmp/alive; sleep 0.01; done) > /dev/null 2>&1 &
echo contained
