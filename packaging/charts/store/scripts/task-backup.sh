# Dumps the database and packs the files into /backups/$BACKUP, reads both back, and only then gives them their name. Its last words say how
# large it is.
set -euo pipefail
umask 077
cd /backups
if [ ! -e "$BACKUP" ]; then
    rm -rf -- *.part
    mkdir "$BACKUP.part"
    if [ "$ENGINE" = medusa ]; then
        printf 'db:5432:store:store:%s\n' "$(cat /credentials/db-password)" >/tmp/pgpass
        PGPASSFILE=/tmp/pgpass pg_dump --host=db --username=store --clean --if-exists store | gzip >"$BACKUP.part/database.sql.gz"
    else
        printf '[client]\nhost=db\nuser=store\npassword=%s\n' "$(cat /credentials/db-password)" >/tmp/client.cnf
        mariadb-dump --defaults-extra-file=/tmp/client.cnf --single-transaction --routines --triggers store |
            gzip >"$BACKUP.part/database.sql.gz"
    fi
    # A file that changes while it is read is no failure; one that cannot be read is.
    tar --create --gzip --file="$BACKUP.part/files.tar.gz" --directory=/files --warning=no-file-changed . || [ $? -eq 1 ]
    cd "$BACKUP.part"
    gzip --test database.sql.gz
    tar --list --gzip --file=files.tar.gz >/dev/null
    sha256sum database.sql.gz files.tar.gz >SHA256SUMS
    sync
    cd ..
    mv "$BACKUP.part" "$BACKUP"
fi
printf 'made %s %s\n' "$BACKUP" "$(cat "$BACKUP"/* | wc -c)" >/dev/termination-log
echo "backup $BACKUP is made and was read back"
