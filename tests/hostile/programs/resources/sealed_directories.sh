#| what = "Folders with the longest names there are, in each other, that let nobody in"
#| covers = ["directory depth", "inodes"]
#| verdict = ["accepted"]
#| limits = { cpu_time_s = 2.0, wall_time_s = 5.0 }
name=$(printf '%0250d' 0)
depth=0
while [ $depth -lt 200 ] && mkdir "$name" && cd "$name"; do
    : > "$(printf ' -rf\n*')"
    ln -s / root
    depth=$((depth + 1))
done
while [ $depth -gt 0 ]; do
    cd -P ..
    chmod 000 "$name"
    depth=$((depth - 1))
done
echo contained
