# Removes all backups that are older than $BACKUP. Names begin with their time.
set -euo pipefail
cd /backups
find . -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' -printf '%f\n' | sort | while read -r old; do
    [[ $old < $BACKUP ]] || break
    rm -rf -- "./$old"
    echo "backup $old is removed"
done
sync
