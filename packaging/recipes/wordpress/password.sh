# Another password for an administrator of the site.

[ -f "$helper" ] || fail 'there is no site'
start mariadb
put_helper
progress 0.5 'setting the password'
said=$(printf '%s\n' "$param_user" "$param_password" | wordpress password | tail -n 1) || true
case $said in
'set '*) give user "${said#set }" ;;
'same '*)
    unchanged
    give user "${said#same }"
    ;;
nobody) fail 'the site has no such administrator' ;;
*)
    tail -n 12 "$log" >&2
    fail_for_now 'WordPress does not take the password'
    ;;
esac
