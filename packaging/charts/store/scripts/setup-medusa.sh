# Makes the tables and the first user. Run until it succeeds.
set -eu
sh -c "$MIGRATE"
if [ -n "$ADMIN_EMAIL" ]; then
    # Its tool takes a password from nowhere else; nobody but this container sees its words.
    if ! said=$(npx medusa user --email "$ADMIN_EMAIL" --password "$(cat /credentials/admin-password)" 2>&1); then
        case "$said" in
            *[Ee]xist*) ;;
            *) echo "the administrator could not be made" >&2; exit 1 ;;
        esac
    fi
fi
echo "the shop is set up"
