# What all scripts of this recipe share. It runs in POSIX sh, with `set -eu`, in a guest that is its customer's.

site=/var/www/wordpress
config=$site/wp-config.php
helper=/usr/local/lib/innkeeper/wordpress.php
log=/var/log/innkeeper-recipe.log
nginx_site=/etc/nginx/sites-available/innkeeper-wordpress.conf
kept=/etc/innkeeper-wordpress
as_root='/** These lines are written by Innkeeper; what you change here is lost. */'
as_customer='/** From here on this file is yours. */'

# A program whose words are for the log alone. It holds none of our pipes, nor does what it leaves running.
quietly() {
    "$@" >>"$log" 2>&1 </dev/null 9>&- && return 0
    code=$?
    tail -n 12 "$log" >&2
    return "$code"
}

has_systemd() { [ -d /run/systemd/system ]; }
php_version() { php -n -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;' 2>/dev/null; }
random() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom 2>/dev/null | head -c "$1"; }
lives() { [ -r "$1" ] && pid=$(cat "$1") && [ -n "$pid" ] && grep -q "^$2" "/proc/$pid/comm" 2>/dev/null; }

is_running() {
    case $1 in
    mariadb) mariadb-admin --connect-timeout=5 ping >/dev/null 2>&1 9>&- ;;
    php-fpm) lives "/run/php/php$(php_version)-fpm.pid" php-fpm ;;
    nginx) lives /run/nginx.pid nginx ;;
    esac
}

# What a service said before it ended: in the journal, where there is one.
last_words() {
    if has_systemd; then journalctl --no-pager --output=cat --lines=8 --unit="$unit"; else tail -n 12 "$log"; fi
}

# Every service is started here: by systemd where it runs, else directly.
start() {
    is_running "$1" && return 0
    if has_systemd; then
        unit=$1
        [ "$1" = php-fpm ] && unit=php$(php_version)-fpm
        quietly systemctl enable --now "$unit"
    else
        case $1 in
        mariadb)
            install -d -m 0755 -o mysql -g mysql /run/mysqld
            setsid mariadbd-safe --user=mysql >>"$log" 2>&1 </dev/null 9>&- 8>&- &
            ;;
        php-fpm)
            mkdir -p /run/php
            quietly "php-fpm$(php_version)" --daemonize
            ;;
        nginx) quietly nginx ;;
        esac
    fi
    waited=0
    until is_running "$1"; do
        waited=$((waited + 1))
        [ "$waited" -lt 60 ] || { last_words >&2; fail_for_now "$1 does not start"; }
        sleep 1
    done
}

reload() {
    is_running "$1" || { start "$1"; return 0; }
    if has_systemd; then
        unit=$1
        [ "$1" = php-fpm ] && unit=php$(php_version)-fpm
        quietly systemctl reload-or-restart "$unit"
    else
        case $1 in
        nginx) quietly nginx -s reload ;;
        php-fpm) kill -USR2 "$(cat "/run/php/php$(php_version)-fpm.pid")" ;;
        esac
    fi
}

# Writes what a function says to a file, whole or not at all; says whether the file is different from before.
put() { # file mode owner function...
    file=$1 mode=$2 owner=$3
    shift 3
    text=$("$@") || fail_for_now "$file cannot be made"
    [ -f "$file" ] && [ "$(cat "$file")" = "$text" ] && [ "$(stat -c '%a %U:%G' "$file")" = "$mode $owner" ] && return 1
    # Nothing between the two can end with half of it: this very shell writes and renames.
    umask 077
    printf '%s\n' "$text" >"$file.innkeeper-new" && chmod "$mode" "$file.innkeeper-new" &&
        chown "$owner" "$file.innkeeper-new" && mv "$file.innkeeper-new" "$file" || fail_for_now "$file cannot be written"
    umask 022
}

# WordPress's own code, and its customer's, never runs as root. What it takes comes by its input.
wordpress() { runuser -u www-data -- php -d display_errors=stderr "$helper" "$@" 2>>"$log" 9>&-; }

put_helper() {
    install -d -m 0755 "${helper%/*}"
    put "$helper" 644 root:root helper_text || true
}

helper_text() {
    cat <<'PHP'
<?php
// Written by Innkeeper. Does one thing to the site; its values come line by line on standard input.
// Plugins and themes are not loaded while WordPress believes that it is being installed.
define('WP_INSTALLING', true);
$verb = $argv[1] ?? '';
$in = array_map(fn ($line) => rtrim($line, "\n"), file('php://stdin'));
$site = '/var/www/wordpress';
function wp_new_blog_notification(...$ignored) {}
require $site . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

function administrators() {
    return is_blog_installed() ? get_users(['role' => 'administrator', 'orderby' => 'ID', 'order' => 'ASC']) : [];
}
function last_word($text) { echo $text, "\n"; exit(0); }
const LOGIN_PLUGIN = <<<'PLUGIN'
<?php
// Written by Innkeeper. Lets an administrator in once, by a link that was asked for in the name of the site's owner.
add_action('init', function () {
    global $wpdb;
    $token = $_POST['innkeeper-login'] ?? $_GET['innkeeper-login'] ?? null;
    if (!is_string($token)) { return; }
    nocache_headers();
    header('Referrer-Policy: no-referrer');
    header('X-Frame-Options: DENY');
    if (!preg_match('/^[A-Za-z0-9]{43}$/', $token)) { wp_die('This link is not valid.', '', ['response' => 403]); }
    if (!isset($_POST['innkeeper-login'])) {
        // Programs that only look at links, as readers of mail do, do not use it up.
        header('Content-Type: text/html; charset=utf-8');
        echo '<!doctype html><meta name="robots" content="noindex"><title>Sign in</title><form method="post" action="',
            esc_url(home_url('/')), '"><input type="hidden" name="innkeeper-login" value="', esc_attr($token),
            '"><button>Sign in</button></form><script>document.forms[0].submit()</script>';
        exit;
    }
    $name = 'innkeeper_login_' . hash('sha256', $token);
    $value = (string) $wpdb->get_var($wpdb->prepare("SELECT option_value FROM $wpdb->options WHERE option_name = %s", $name));
    // Of two who come at once the row is there for one.
    $isFirst = $wpdb->delete($wpdb->options, ['option_name' => $name]) === 1;
    [$id, $until] = array_pad(explode(' ', $value), 2, '0');
    $user = get_user_by('id', (int) $id);
    if (!$isFirst || time() >= (int) $until || !$user || !in_array('administrator', $user->roles, true)) {
        wp_die('This link was used, or is too old.', '', ['response' => 403]);
    }
    wp_set_auth_cookie($user->ID, false, is_ssl());
    wp_safe_redirect(admin_url());
    exit;
});

PLUGIN;

switch ($verb) {
case 'state':
    last_word(administrators() ? 'installed' : 'empty');
case 'install':
    [$title, $user, $email, $password] = $in;
    if (!is_blog_installed()) {
        wp_install($title, $user, $email, true, '', wp_slash($password));
    }
    // A run that was killed may have left the tables without anybody.
    if (!administrators()) {
        populate_roles();
        $id = username_exists($user) ?: wp_create_user($user, wp_slash($password), $email);
        if (is_wp_error($id)) { fwrite(STDERR, $id->get_error_message() . "\n"); exit(1); }
        (new WP_User($id))->set_role('administrator');
    }
    if (!get_option('innkeeper_setup')) {
        global $wp_rewrite;
        $wp_rewrite->init();
        $wp_rewrite->set_permalink_structure('/%postname%/');
        $wp_rewrite->flush_rules(false);
        update_option('innkeeper_setup', '1', false);
    }
    last_word('installed');
case 'password':
    [$name, $password] = $in;
    $user = $name === '' ? (administrators()[0] ?? null) : get_user_by('login', $name);
    if (!$user || !in_array('administrator', $user->roles, true)) { last_word('nobody'); }
    if (wp_check_password($password, $user->user_pass, $user->ID)) { last_word('same ' . $user->user_login); }
    wp_set_password($password, $user->ID);
    WP_Session_Tokens::get_instance($user->ID)->destroy_all();
    last_word('set ' . $user->user_login);
case 'login':
    [$name, $token] = $in;
    $user = $name === '' ? (administrators()[0] ?? null) : get_user_by('login', $name);
    if (!$user || !in_array('administrator', $user->roles, true)) { last_word('nobody'); }
    // The site itself lets in who has the token, once; only its digest is kept, and not for long.
    $file = WPMU_PLUGIN_DIR . '/innkeeper-login.php';
    if (!is_file($file) || file_get_contents($file) !== LOGIN_PLUGIN) {
        if (!wp_mkdir_p(WPMU_PLUGIN_DIR) || file_put_contents("$file.new", LOGIN_PLUGIN) === false || !rename("$file.new", $file)) {
            fwrite(STDERR, "$file cannot be written\n");
            exit(1);
        }
    }
    global $wpdb;
    $old = $wpdb->get_results("SELECT option_name, option_value FROM $wpdb->options WHERE option_name LIKE 'innkeeper\\_login\\_%'");
    foreach ($old as $row) {
        if ((int) (explode(' ', $row->option_value)[1] ?? 0) <= time()) {
            $wpdb->delete($wpdb->options, ['option_name' => $row->option_name]);
        }
    }
    $sql = "INSERT INTO $wpdb->options (option_name, option_value, autoload) VALUES (%s, %s, 'no') ON DUPLICATE KEY UPDATE option_name = option_name";
    $value = $user->ID . ' ' . (time() + 300);
    if ($wpdb->query($wpdb->prepare($sql, 'innkeeper_login_' . hash('sha256', $token), $value)) === false) {
        fwrite(STDERR, "the token cannot be kept\n");
        exit(1);
    }
    last_word('set ' . $user->user_login);
case 'address':
    if (is_blog_installed()) {
        update_option('siteurl', $in[0]);
        update_option('home', $in[0]);
    }
    last_word('set');
case 'report':
    global $wpdb;
    echo 'database_version ', $wpdb->get_var('SELECT VERSION()'), "\n";
    echo 'administrators ', count(administrators()), "\n";
    exit(0);
}
fwrite(STDERR, "no such verb\n");
exit(2);
PHP
}

wordpress_version() { sed -n "s/^\$wp_version = '\([^']*\)'.*/\1/p" "$site/wp-includes/version.php" 2>/dev/null; }

# The value of a line `define('NAME', 'VALUE');`.
configured() { sed -n "s/^define('$1', '\(.*\)');\$/\1/p" "$config" 2>/dev/null | head -n 1; }

# What is kept of the last order, so that a later verb need not be told again: no secrets.
remember() {
    install -d -m 0755 "$kept"
    put "$kept/$1" 644 root:root printf %s "$2" || true
}
remembered() { cat "$kept/$1" 2>/dev/null || true; }

# An address has a scheme, a name or address, perhaps a port, and nothing else.
check_url() {
    case ${1#*://} in
    */*) fail "the address $1 must have no path" ;;
    esac
}

config_text() { # url
    cat <<PHP
<?php
$as_root
define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', '$2');
define('DB_HOST', 'localhost');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
define('WP_HOME', '$1');
define('WP_SITEURL', '$1');
PHP
    if has_systemd; then echo "define('DISABLE_WP_CRON', true);"; fi
    echo "$as_customer"
}

# The head is ours and made anew; what follows is the customer's and stays. Salts are made once.
whole_config() { # url password
    config_text "$1" "$2"
    if [ -f "$config" ] && grep -qxF "$as_customer" "$config"; then
        awk -v mark="$as_customer" 'seen { print } $0 == mark { seen = 1 }' "$config"
        return
    fi
    for key in AUTH_KEY SECURE_AUTH_KEY LOGGED_IN_KEY NONCE_KEY AUTH_SALT SECURE_AUTH_SALT LOGGED_IN_SALT NONCE_SALT; do
        printf "define('%s', '%s');\n" "$key" "$(random 64)"
    done
    cat <<'PHP'
$table_prefix = 'wp_';
define('WP_DEBUG', false);
if (!defined('ABSPATH')) { define('ABSPATH', __DIR__ . '/'); }
require_once ABSPATH . 'wp-settings.php';
PHP
}

write_config() { # url password
    # One that somebody has written anew is not thrown away.
    if [ -f "$config" ] && ! grep -qxF "$as_customer" "$config"; then cp -a "$config" "$config.before-innkeeper"; fi
    put "$config" 640 root:www-data whole_config "$1" "$2"
}

nginx_text() {
    listen6=
    [ -s /proc/net/if_inet6 ] && listen6='    listen [::]:80 default_server;'
    cat <<'CONF'
# Written by Innkeeper; what you change here is lost.
# Only a proxy that is known is believed what it says of its visitors.
geo $realip_remote_addr $innkeeper_proxy {
    default 0;
CONF
    for one in $(remembered proxies); do printf '    %s 1;\n' "$one"; done
    cat <<'CONF'
}
map "$innkeeper_proxy:$http_x_forwarded_proto" $innkeeper_https {
    default "";
    "1:https" on;
}
server {
    listen 80 default_server;
CONF
    printf '%s\n' "$listen6"
    cat <<'CONF'
    server_name _;
    root /var/www/wordpress;
    index index.php;
    server_tokens off;
    absolute_redirect off;
CONF
    printf '    client_max_body_size %sm;\n' "$(remembered upload_mib)"
    for one in $(remembered proxies); do printf '    set_real_ip_from %s;\n' "$one"; done
    cat <<'CONF'
    real_ip_header X-Forwarded-For;
    real_ip_recursive on;

    # Nobody but the recipe sets the site up.
    location ~ ^/wp-admin/(install|setup-config)\.php$ { return 403; }
    location ~ /\.(?!well-known/) { return 404; }
    location ~ ^/wp-content/uploads/.*\.php$ { return 404; }
    location ~ ^/(wp-config\.php|readme\.html|license\.txt)$ { return 404; }
    location / { try_files $uri $uri/ /index.php?$args; }
    location ~ \.php$ {
        try_files $uri =404;
        include fastcgi_params;
        fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
        fastcgi_param HTTPS $innkeeper_https if_not_empty;
        fastcgi_read_timeout 300s;
        fastcgi_pass unix:/run/php/innkeeper-wordpress.sock;
    }
    location ~* \.(css|gif|ico|jpe?g|js|png|svg|webp|woff2?)$ {
        try_files $uri /index.php?$args;
        expires 7d;
        access_log off;
    }
}
CONF
}

pool_text() {
    cat <<CONF
; Written by Innkeeper; what you change here is lost.
[innkeeper-wordpress]
user = www-data
group = www-data
listen = /run/php/innkeeper-wordpress.sock
listen.owner = www-data
listen.group = www-data
listen.mode = 0660
pm = ondemand
pm.max_children = $(remembered php_children)
pm.process_idle_timeout = 30s
pm.max_requests = 500
php_admin_value[memory_limit] = $(remembered memory_mib)M
php_admin_value[upload_max_filesize] = $(remembered upload_mib)M
php_admin_value[post_max_size] = $(remembered upload_mib)M
php_admin_value[max_execution_time] = 300
php_admin_flag[expose_php] = off
CONF
}

pool_file() { printf '/etc/php/%s/fpm/pool.d/innkeeper-wordpress.conf' "$(php_version)"; }

cron_service_text() {
    cat <<'UNIT'
# Written by Innkeeper.
[Unit]
Description=What WordPress has to do now and then
After=network-online.target mariadb.service
Wants=network-online.target

[Service]
Type=oneshot
User=www-data
ExecStart=/usr/bin/php /var/www/wordpress/wp-cron.php
TimeoutStartSec=600
UNIT
}

cron_timer_text() {
    cat <<'UNIT'
# Written by Innkeeper.
[Unit]
Description=What WordPress has to do now and then

[Timer]
OnCalendar=*:0/5
RandomizedDelaySec=60
Persistent=true

[Install]
WantedBy=timers.target
UNIT
}

upgrades_text() {
    cat <<'CONF'
// Written by Innkeeper.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT::Periodic::AutocleanInterval "7";
CONF
}

# How the site answers inside its guest, as its visitors reach it.
front_page() {
    url=$(configured WP_HOME)
    host=${url#*://}
    forwarded=http
    case $url in https://*) forwarded=https ;; esac
    curl -s -o /dev/null -m 30 -w '%{http_code}' -H "Host: $host" -H "X-Forwarded-Proto: $forwarded" http://127.0.0.1/ \
        2>/dev/null || true
}
