# Puts database and files back as they are in /backups/$BACKUP. Nothing is touched before it was read whole.
set -euo pipefail
umask 077
cd "/backups/$BACKUP"
sha256sum --check --quiet SHA256SUMS
if [ "$ENGINE" = medusa ]; then
    printf 'db:5432:store:store:%s\n' "$(cat /credentials/db-password)" >/tmp/pgpass
    export PGPASSFILE=/tmp/pgpass
    psql=(psql --host=db --username=store --set=ON_ERROR_STOP=1 --quiet store)
    "${psql[@]}" --command='DROP SCHEMA public CASCADE; CREATE SCHEMA public'
    gunzip --stdout database.sql.gz | "${psql[@]}" >/dev/null
else
    printf '[client]\nhost=db\nuser=store\npassword=%s\n' "$(cat /credentials/db-password)" >/tmp/client.cnf
    mariadb --defaults-extra-file=/tmp/client.cnf --execute='DROP DATABASE IF EXISTS store; CREATE DATABASE store'
    gunzip --stdout database.sql.gz | mariadb --defaults-extra-file=/tmp/client.cnf store
fi
find /files -mindepth 1 -maxdepth 1 -exec rm -rf -- {} +
tar --extract --gzip --file=files.tar.gz --directory=/files
echo "backup $BACKUP is restored"
