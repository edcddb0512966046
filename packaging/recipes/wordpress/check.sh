# Whether the site is as it was ordered, without changing anything.

wrong() {
    [ "$recipe_phase" = before ] || echo "$*" >&2
    exit 1
}
same() { # file function
    text=$("$2") && [ -f "$1" ] && [ "$(cat "$1")" = "$text" ] && [ "$(stat -c '%a %U:%G' "$1")" = '644 root:root' ]
}
is_kept() { [ "$(remembered "$1")" = "$2" ]; }

[ -f "$site/wp-load.php" ] && [ -f "$site/wp-includes/version.php" ] && [ ! -e "$kept/unfinished" ] ||
    wrong 'the files of WordPress are not there'
command -v php >/dev/null && command -v nginx >/dev/null && command -v mariadb >/dev/null || wrong 'packages are missing'
[ -z "$(dpkg --audit 2>/dev/null | head -n 1)" ] || wrong 'packages are half installed'
password=$(configured DB_PASSWORD)
[ -n "$password" ] || wrong 'there is no wp-config.php'
head=$(config_text "$param_url" "$password")
[ "$(awk -v mark="$as_customer" '{ print } $0 == mark { exit }' "$config")" = "$head" ] ||
    wrong 'the head of wp-config.php is not as ordered'
[ "$(stat -c '%a %U:%G' "$config")" = '640 root:www-data' ] || wrong 'wp-config.php belongs to others'
is_kept proxies "$param_proxies" && is_kept upload_mib "$param_upload_mib" && is_kept memory_mib "$param_memory_mib" &&
    is_kept php_children "$param_php_children" || wrong 'it was ordered otherwise'
same "$nginx_site" nginx_text || wrong 'the site of nginx is not as ordered'
[ -e /etc/nginx/sites-enabled/innkeeper-wordpress.conf ] || wrong 'the site of nginx is not enabled'
same "$(pool_file)" pool_text || wrong 'the pool of PHP is not as ordered'
same "$helper" helper_text || wrong 'the helper is not as it was made'
same /etc/systemd/system/innkeeper-wordpress-cron.timer cron_timer_text || wrong 'there is no timer'
same /etc/systemd/system/innkeeper-wordpress-cron.service cron_service_text || wrong 'there is no timer'
same /etc/apt/apt.conf.d/20innkeeper-upgrades upgrades_text || wrong 'updates are not automatic'
[ "$(cat /etc/default/locale 2>/dev/null)" = "LANG=$param_locale" ] || wrong 'the locale is not as ordered'
for one in mariadb php-fpm nginx; do is_running "$one" || wrong "$one does not run"; done
state=$(wordpress state </dev/null | tail -n 1) || true
status=$(front_page)
case $state in
installed) [ "$status" = 200 ] || wrong "the front page answers with $status" ;;
empty) [ -z "$param_admin_email" ] && [ "$status" = 302 ] || wrong 'the site is not set up' ;;
*) wrong 'WordPress does not answer' ;;
esac
give url "$param_url"
give wordpress_version "$(wordpress_version)"
give php_version "$(php_version)"
if [ "$state" = installed ]; then give installed yes; else give installed no; fi
