# Lets whoever has a token into the administration once, for five minutes.

[ -f "$helper" ] || fail 'there is no site'
case $param_token in
*[!A-Za-z0-9]*) fail 'a token has letters and digits' ;;
esac
[ "${#param_token}" -eq 43 ] || fail 'a token has 43 letters and digits'
start mariadb
put_helper
progress 0.5 'keeping the token'
said=$(printf '%s\n' "$param_user" "$param_token" | wordpress login | tail -n 1) || true
case $said in
'set '*) give user "${said#set }" ;;
nobody) fail 'the site has no such administrator' ;;
*)
    tail -n 12 "$log" >&2
    fail_for_now 'WordPress does not take the token'
    ;;
esac
