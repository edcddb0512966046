# Another address for the site. Links within its contents stay as their authors wrote them.

check_url "$param_url"
password=$(configured DB_PASSWORD)
[ -n "$password" ] || fail 'there is no site'
[ -z "$param_proxies" ] || remember proxies "$param_proxies"
put_helper
start mariadb
changed=
progress 0.3 'setting the address'
write_config "$param_url" "$password" && changed=1
put "$nginx_site" 644 root:root nginx_text && changed=1
quietly nginx -t || fail 'nginx does not take its configuration'
[ -z "$changed" ] || reload nginx
said=$(printf '%s\n' "$param_url" | wordpress address | tail -n 1) || true
[ "$said" = set ] || { tail -n 12 "$log" >&2; fail_for_now 'WordPress does not take the address'; }
[ -n "$changed" ] || unchanged
give url "$param_url"
