# Tells what there is to tell of a site, also of one that is broken.

give url "$(configured WP_HOME)"
give wordpress_version "$(wordpress_version)"
give php_version "$(php_version || true)"
for one in mariadb php-fpm nginx; do
    name=$(printf %s "$one" | tr - _)
    if is_running "$one"; then give "$name" running; else give "$name" stopped; fi
done
state=
if [ -f "$helper" ]; then
    state=$(wordpress state </dev/null | tail -n 1) || true
    { wordpress report </dev/null || true; } | while read -r name value; do
        case $name in database_version | administrators) give "$name" "$value" ;; esac
    done
fi
if [ "$state" = installed ]; then give installed yes; else give installed no; fi
give front_page "$(front_page)"
give used_kib "$(du -sk "$site" 2>/dev/null | cut -f 1)"
give free_kib "$(df -Pk "$site" 2>/dev/null | awk 'NR == 2 { print $4 }')"
