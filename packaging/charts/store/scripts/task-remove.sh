# Removes /backups/$BACKUP. One that is gone is removed.
set -euo pipefail
cd /backups
rm -rf -- "./$BACKUP" "./$BACKUP.part"
sync
echo "backup $BACKUP is removed"
