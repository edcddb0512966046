# Installs WordPress and WooCommerce once; does nothing to a shop that has them. Run until it succeeds.
set -eu
tries=0
until [ -e wp-config.php ] && php -r '
    mysqli_report(MYSQLI_REPORT_OFF);
    exit(@mysqli_connect("db", "store", trim(file_get_contents("/credentials/db-password")), "store") ? 0 : 1);'; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { echo "the shop's files or its database did not come up" >&2; exit 1; }
    sleep 2
done
if ! wp core is-installed; then
    [ -n "$ADMIN_EMAIL" ] || { echo "admin.email is missing" >&2; exit 1; }
    wp core install --url="$SHOP_URL" --title="$SHOP_TITLE" --admin_user="$ADMIN_USER" --admin_email="$ADMIN_EMAIL" \
        --skip-email --prompt=admin_password </credentials/admin-password >/dev/null
    echo "WordPress is installed"
fi
if [ -n "$LOCALE" ]; then wp language core install "$LOCALE" --activate; fi
if [ "$(wp plugin get woocommerce --field=version 2>/dev/null || true)" != "$WOOCOMMERCE_VERSION" ]; then
    if [ -n "$WOOCOMMERCE_ARCHIVE" ]; then
        wp plugin install "$WOOCOMMERCE_ARCHIVE" --force
    else
        wp plugin install woocommerce --version="$WOOCOMMERCE_VERSION" --force
    fi
fi
wp plugin is-active woocommerce || wp plugin activate woocommerce
wp core update-db
wp wc update || true
wp rewrite structure '/%postname%/' >/dev/null
echo "the shop is set up"
