# Sets the site up, and repairs one that is set up: every stage makes be what is to be, and loses nothing.

check_url "$param_url"
[ -z "$param_archive" ] || [ -n "$param_archive_sha256" ] || fail 'a mirror of the archive needs archive_sha256'
[ -z "$param_archive_sha256" ] || [ -n "$param_archive" ] || fail 'archive_sha256 is for a mirror: archive is missing'
if [ -n "$param_title$param_admin_email$param_admin_password" ]; then
    [ -n "$param_title" ] && [ -n "$param_admin_email" ] && [ -n "$param_admin_password" ] ||
        fail 'the account of an administrator needs title, admin_email and admin_password, all three'
fi
touch "$log"
chmod 0600 "$log"
[ "$(stat -c %s "$log")" -lt 4194304 ] || : >"$log"

progress 0.02 'waiting for the network'
has_network() { tail -n +2 /proc/net/route 2>/dev/null | grep -q . || grep -qv ' lo$' /proc/net/ipv6_route 2>/dev/null; }
waited=0
until has_network; do
    waited=$((waited + 1))
    [ "$waited" -lt 120 ] || fail_for_now 'the guest has no network'
    sleep 1
done

progress 0.05 'waiting for the package manager'
# Somebody else may be at it, as a fresh guest's own updates are, and a run that was killed may have left its work undone.
patiently() {
    tries=0
    while :; do
        code=0
        "$@" >"$log.apt" 2>&1 </dev/null 9>&- || code=$?
        cat "$log.apt" >>"$log"
        [ "$code" -ne 0 ] || { rm -f "$log.apt"; return 0; }
        tries=$((tries + 1))
        if [ "$tries" -ge 60 ] || ! grep -Eqi 'could not get lock|unable to lock|is locked by|frontend lock' "$log.apt"; then
            tail -n 12 "$log.apt" >&2
            rm -f "$log.apt"
            return "$code"
        fi
        sleep 5
    done
}
apt() { apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
patiently dpkg --configure -a --force-confdef --force-confold || fail_for_now 'the package manager cannot end what it had begun'

packages='nginx-light mariadb-server php-fpm php-mysql php-xml php-mbstring php-curl php-gd php-zip php-intl
    ca-certificates curl unattended-upgrades'
[ "$param_locale" = C.UTF-8 ] || packages="$packages locales"
missing=
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    progress 0.1 'installing packages'
    patiently apt update || echo 'the lists of packages could not be fetched; going on with those at hand' >&2
    # shellcheck disable=SC2086 # one word each
    patiently apt install --no-install-recommends --fix-broken $missing || fail_for_now 'the packages could not be installed'
fi

progress 0.45 'setting the locale'
if [ "$param_locale" != C.UTF-8 ]; then
    if ! grep -q "^$param_locale " /etc/locale.gen; then
        grep -q "^# *$param_locale " /etc/locale.gen || fail "this system has no locale $param_locale"
        sed -i "s/^# *\($param_locale .*\)/\1/" /etc/locale.gen
    fi
    quietly locale-gen
fi
put /etc/default/locale 644 root:root printf 'LANG=%s' "$param_locale" || true

progress 0.5 'fetching WordPress'
new=${site%/*}/.wordpress-new
archive=${site%/*}/.wordpress.tar.gz
rm -rf "$new" "$archive"
mkdir -p "${site%/*}"
if [ ! -f "$site/wp-includes/version.php" ] || [ ! -f "$site/wp-load.php" ] || [ -e "$kept/unfinished" ]; then
    official=https://wordpress.org/latest.tar.gz
    get() { curl -fsSL --proto '=http,https' --retry 3 --connect-timeout 20 --max-time 900 -o "$2" "$1" 2>>"$log" 9>&-; }
    get_safely() { curl -fsSL --proto '=https' --proto-redir '=https' --retry 3 --connect-timeout 20 --max-time 900 "$@" 2>>"$log" 9>&-; }
    if [ -n "$param_archive" ]; then
        get "$param_archive" "$archive" || fail_for_now "the mirror does not give $param_archive"
        sum=$(sha256sum "$archive" | cut -d ' ' -f 1)
        [ "$sum" = "$param_archive_sha256" ] || { rm -f "$archive"; fail "the mirror's archive has the checksum $sum, not the one that was given"; }
    else
        sum=$(get_safely "$official.sha1") || fail_for_now 'wordpress.org does not give the checksum of its archive'
        get_safely -o "$archive" "$official" || fail_for_now 'wordpress.org does not give its archive'
        [ "$(sha1sum "$archive" | cut -d ' ' -f 1)" = "$sum" ] ||
            { rm -f "$archive"; fail_for_now "the archive of wordpress.org does not have the checksum that is published"; }
    fi

    progress 0.6 'unpacking WordPress'
    mkdir "$new"
    quietly tar -xzf "$archive" -C "$new" --strip-components=1 --no-same-owner
    [ -f "$new/wp-load.php" ] && [ -f "$new/wp-includes/version.php" ] || fail 'the archive is not that of WordPress'
    chown -R www-data:www-data "$new"
    find "$new" -type d -exec chmod 0755 {} + -o -type f -exec chmod 0644 {} +
    if [ -d "$site" ]; then
        # What is there stays; what is missing comes back.
        install -d -m 0755 "$kept"
        : >"$kept/unfinished"
        cp -a --update=none "$new/." "$site/" 2>/dev/null || cp -an "$new/." "$site/"
        sync -f "$site"
        rm -f "$kept/unfinished"
    else
        sync -f "$new"
        mv "$new" "$site"
    fi
    rm -rf "$new" "$archive"
fi

progress 0.68 'configuring WordPress'
remember proxies "$param_proxies"
remember upload_mib "$param_upload_mib"
remember memory_mib "$param_memory_mib"
remember php_children "$param_php_children"
put_helper
password=$(configured DB_PASSWORD)
[ -n "$password" ] || password=$(random 32)
write_config "$param_url" "$password" || true
find "$site" ! -path "$config" \( ! -user www-data -o ! -group www-data \) -exec chown -h www-data:www-data {} +

progress 0.72 'making the database'
start mariadb
# Without a password on a command line; what runs again makes account and configuration agree.
mariadb --batch 2>>"$log" 9>&- <<SQL || fail_for_now 'the database cannot be made'
CREATE DATABASE IF NOT EXISTS wordpress CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'wordpress'@'localhost' IDENTIFIED BY '$password';
ALTER USER 'wordpress'@'localhost' IDENTIFIED BY '$password';
GRANT ALL PRIVILEGES ON wordpress.* TO 'wordpress'@'localhost';
SQL

progress 0.78 'configuring PHP and nginx'
put "$(pool_file)" 644 root:root pool_text && reload php-fpm
start php-fpm
rm -f /etc/nginx/sites-enabled/default
put "$nginx_site" 644 root:root nginx_text || true
ln -sfn "$nginx_site" /etc/nginx/sites-enabled/innkeeper-wordpress.conf
quietly nginx -t || fail 'nginx does not take its configuration'
reload nginx

progress 0.85 'setting up timers and updates'
put /etc/systemd/system/innkeeper-wordpress-cron.service 644 root:root cron_service_text || true
put /etc/systemd/system/innkeeper-wordpress-cron.timer 644 root:root cron_timer_text || true
put /etc/apt/apt.conf.d/20innkeeper-upgrades 644 root:root upgrades_text || true
if has_systemd; then
    quietly systemctl daemon-reload
    quietly systemctl enable --now innkeeper-wordpress-cron.timer
fi

if [ -n "$param_admin_email" ]; then
    progress 0.9 'setting up the site'
    said=$(printf '%s\n' "$param_title" "$param_admin_user" "$param_admin_email" "$param_admin_password" |
        wordpress install | tail -n 1) || true
    [ "$said" = installed ] || { tail -n 12 "$log" >&2; fail_for_now 'WordPress could not be set up'; }
fi

progress 0.98 'looking at the site'
give url "$param_url"
