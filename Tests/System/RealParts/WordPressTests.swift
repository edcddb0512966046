import DriverKit
import Glibc
import Processes
import Synchronization
import TestSupport
import Testing
import WireProtocol

/// The recipe wordpress in a Debian tree, with Debian's own nginx, MariaDB and PHP, by the driver's own actions.
@Suite(.serialized, .enabled(if: RealParts.isOn), .timeLimit(.minutes(90))) struct WordPressTests {
    private static let password = "p'w d$1\\ü"

    private static func order(_ guest: RealGuest, _ more: JSONObject = [:]) -> JSONObject {
        var parameters: JSONObject = [
            "url": "http://shop.example.org", "title": "It's a $shop", "admin_email": "ann@example.org",
            "archive": .string(guest.archive), "archive_sha256": .string(guest.checksum), "upload_mib": 32,
        ]
        for member in more.members { parameters[member.key] = member.value }
        return ["recipe": "wordpress", "mark": ["service": "svc_1"], "parameters": .object(parameters)]
    }

    private static let secrets: JSONObject = ["parameters": ["admin_password": .string(password)]]

    private static func install(
        _ guest: RealGuest, _ more: JSONObject = [:], progress: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(DriverError) -> ActionOutcome {
        try await guest.perform("recipe.run", order(guest, more), secrets: secrets, progress: progress)
    }

    /// The stages that the script tells, in their order.
    private static func stages(_ guest: RealGuest) throws -> [String] {
        let script = String(decoding: try guest.folder.read("recipes/wordpress/install.sh"), as: UTF8.self)
        return script.split(separator: "\n").map { $0.drop { $0 == " " } }.filter { $0.hasPrefix("progress ") }
            .compactMap { $0.split(separator: "'").dropFirst().first.map(String.init) }
    }

    /// How a run is broken off: its guest stops, its asker gives up, or the way in dies and leaves the script behind.
    private enum Blow: CaseIterable { case stop, cancel, kill }

    @Test(arguments: RealParts.suites)
    func `killed at each of its stages and run again it sets a site up, repairs it and loses nothing`(_ suite: String)
        async throws
    {
        let guest = try await RealGuest(suite)
        do { try await Self.tell(guest) } catch {
            await guest.end()
            throw error
        }
        await guest.end()
    }

    private static func tell(_ guest: RealGuest) async throws {
        let begin = ContinuousClock.now
        let wrong = await #expect(throws: DriverError.self) {
            try await install(guest, ["admin_email": nil])
        }
        #expect(wrong?.message.contains("all three") == true && wrong?.retryable == false)
        for (index, stage) in try stages(guest).enumerated() {
            try await strike(guest, at: stage, Blow.allCases[index % Blow.allCases.count])
        }
        let made = try await install(guest)
        print("   killed at each stage and set up in \((ContinuousClock.now - begin).components.seconds) s")
        #expect(made.observed["returned"]?["installed"] == "yes")
        #expect(made.observed["returned"]?["url"] == "http://shop.example.org")
        try await visit(guest)
        let again = try await install(guest)
        #expect(!again.changed && again.observed["returned"]?["installed"] == "yes")
        try await look(guest)
        try await loseNothing(guest)
        try await changePassword(guest)
        try await signIn(guest)
        try await move(guest)
    }

    private static func strike(_ guest: RealGuest, at stage: String, _ blow: Blow) async throws {
        let reached = Mutex(false)
        let work = Task {
            try await install(guest) { text in if text == stage { reached.withLock { $0 = true } } }
        }
        let isReached = await eventually(within: .seconds(1800)) { reached.withLock { $0 } }
        try #require(isReached, "\(stage) is never reached")
        // In the middle of it rather than at its beginning.
        try await Task.sleep(for: stage == "installing packages" ? .seconds(8) : .milliseconds(.random(in: 0...700)))
        switch blow {
        case .stop: try await guest.pct("stop", "101")
        case .cancel: work.cancel()
        case .kill: guest.killWayIn()
        }
        let result = await work.result
        // A short stage may be over by then; what is not has been broken off.
        if case .failure(let error as DriverError) = result {
            #expect([.unknownOutcome, .cancelled].contains(error.code), "\(stage): \(error)")
            #expect(error.changed || stage == "looking at the site", "\(stage): \(error)")
        }
        if blow == .stop { try await guest.perform("container.start") }
    }

    private static func visit(_ guest: RealGuest) async throws {
        let page = try await guest.get("/")
        #expect(
            page.hasSuffix("\n200 ") && page.contains("<title>It&#8217;s a $shop")
                || page.contains("It&#039;s a $shop"), "\(page.prefix(500))")
        #expect(try await guest.get("/hello-world/").hasSuffix("\n200 "), "permalinks are pretty")
        for path in ["/wp-admin/install.php", "/wp-admin/setup-config.php"] {
            #expect(try await guest.get(path).hasSuffix("\n403 "), "\(path)")
        }
        for path in ["/wp-config.php", "/.htaccess", "/readme.html", "/wp-content/uploads/x.php"] {
            #expect(try await guest.get(path).hasSuffix("\n404 "), "\(path)")
        }
        #expect(try await guest.shell("stat -c '%a %U:%G' /var/www/wordpress/wp-config.php") == "640 root:www-data\n")
        #expect(try await guest.shell("find /var/www/wordpress -perm /022 | head -n 3") == "")
        #expect(try await guest.shell("grep -c _KEY /var/www/wordpress/wp-config.php") == "4\n")
        #expect(try await guest.shell("ls -A /var/www") == "wordpress\n")
        let secrets = try await guest.shell(
            "grep -rlF \"p'w d\" /var/log /tmp /run /root /etc /usr/local 2>/dev/null || true")
        #expect(secrets == "", "the password lies in \(secrets)")
        let units = guest.folder.file("units")
        try await RealGuest.succeed("mkdir", ["-p", units])
        for unit in ["service", "timer"] {
            let text = try await guest.shell("cat /etc/systemd/system/innkeeper-wordpress-cron.\(unit)")
            // Where the test runs there is no PHP.
            let lines = text.split(separator: "\n").map { $0.hasPrefix("ExecStart=") ? "ExecStart=/bin/true" : $0 }
            try guest.folder.write(
                Array((lines.joined(separator: "\n") + "\n").utf8), to: "units/innkeeper-wordpress-cron.\(unit)")
        }
        let verified = try await Child.run(
            ProcessRequest(
                "systemd-analyze", ["verify", "--man=no", "\(units)/innkeeper-wordpress-cron.timer"],
                environment: ["SYSTEMD_UNIT_PATH": "\(units):"], deadline: .seconds(60)))
        #expect(verified.succeeded && !verified.errorText.contains("innkeeper-wordpress"), "\(verified.errorText)")
    }

    private static func look(_ guest: RealGuest) async throws {
        let seen = try await guest.perform("recipe.look", ["recipe": "wordpress", "verb": "report"])
        let told = seen.observed["returned"]
        #expect(told?["front_page"] == "200" && told?["administrators"] == "1" && told?["installed"] == "yes")
        for service in ["nginx", "php_fpm", "mariadb"] { #expect(told?[service] == "running") }
        #expect(told?["database_version"]?.asString?.contains("MariaDB") == true)
        #expect(!seen.changed)
    }

    /// What the customer has put there stays, what somebody took away comes back, also after a restart.
    private static func loseNothing(_ guest: RealGuest) async throws {
        let site = "/var/www/wordpress"
        let salts = try await guest.shell("grep _SALT \(site)/wp-config.php")
        _ = try await guest.shell(
            """
            echo kept >\(site)/wp-content/kept.txt; echo "define('OF_THE_CUSTOMER', 1);" >/root/line
            sed -i '/^.table_prefix/r /root/line' \(site)/wp-config.php
            sed -i 's/WP_HOME/WP_HOUSE/' \(site)/wp-config.php
            rm \(site)/wp-load.php; echo broken >>/etc/nginx/sites-available/innkeeper-wordpress.conf
            """)
        try await guest.pct("stop", "101")
        try await guest.perform("container.start")
        #expect(try await install(guest).changed)
        #expect(try await guest.get("/").hasSuffix("\n200 "))
        #expect(try await guest.get("/wp-content/kept.txt").hasPrefix("kept\n"))
        #expect(try await guest.shell("grep -c OF_THE_CUSTOMER \(site)/wp-config.php") == "1\n")
        #expect(try await guest.shell("grep _SALT \(site)/wp-config.php") == salts)
        #expect(try await !install(guest).changed)
        let larger = try await install(guest, ["upload_mib": 48])
        #expect(larger.changed)
        #expect(try await guest.shell("grep -c '48m' /etc/nginx/sites-available/innkeeper-wordpress.conf") == "1\n")
    }

    private static func changePassword(_ guest: RealGuest) async throws {
        #expect(try await logsIn(guest, password))
        let order: JSONObject = ["recipe": "wordpress", "verb": "password"]
        let set = try await guest.perform("recipe.run", order, secrets: ["parameters": ["password": "another one"]])
        #expect(set.changed && set.observed["returned"] == ["user": "admin"])
        #expect(try await logsIn(guest, "another one"))
        #expect(try await !logsIn(guest, password))
        #expect(
            try await !guest.perform("recipe.run", order, secrets: ["parameters": ["password": "another one"]]).changed)
        var other = order
        other["parameters"] = ["user": "nobody"]
        let error = await #expect(throws: DriverError.self) {
            try await guest.perform("recipe.run", other, secrets: ["parameters": ["password": "another one"]])
        }
        #expect(error?.message.contains("no such administrator") == true && error?.retryable == false)
    }

    /// A link leads in once, whoever looks at it before; the site knows its digest alone.
    private static func signIn(_ guest: RealGuest) async throws {
        func token(_ letter: Character) -> String { String(repeating: "aB3", count: 14) + String(letter) }
        func keep(_ token: String, user: String? = nil) async throws(DriverError) -> ActionOutcome {
            var order: JSONObject = ["recipe": "wordpress", "verb": "login"]
            if let user { order["parameters"] = ["user": .string(user)] }
            return try await guest.perform("recipe.run", order, secrets: ["parameters": ["token": .string(token)]])
        }
        func enter(_ token: String, _ more: [String] = []) async throws -> String {
            try await guest.get("/", ["--data-urlencode", "innkeeper-login=\(token)"] + more)
        }
        let (once, late) = (token("x"), token("y"))
        for one in [once, late] { #expect(try await keep(one).observed["returned"] == ["user": "admin"]) }
        let tables = try await guest.shell("mariadb-dump wordpress wp_options")
        #expect(tables.contains("innkeeper_login_") && !tables.contains(once))
        for _ in 1...2 {
            let seen = try await guest.get("/?innkeeper-login=\(once)")
            #expect(seen.hasSuffix("\n200 ") && seen.contains("<form method=\"post\""), "\(seen.prefix(500))")
        }
        let jars = ["first", "second"].map { guest.folder.file("cookies-\($0)") }
        async let first = enter(once, ["-c", jars[0]])
        async let second = enter(once, ["-c", jars[1]])
        let answers = try await [first, second]
        #expect(answers.count { $0.hasSuffix("\n302 http://shop.example.org/wp-admin/") } == 1, "\(answers)")
        #expect(answers.count { $0.hasSuffix("\n403 ") } == 1, "\(answers)")
        let way = answers[0].hasSuffix("\n403 ") ? jars[1] : jars[0]
        // Not the administration itself: without a way to the outside it waits for news.
        let known = try await guest.get("/", ["-b", way])
        #expect(known.contains("wpadminbar"), "\(known.prefix(300)) … \(known.suffix(100))")
        #expect(try await !guest.get("/").contains("wpadminbar"))
        #expect(try await enter(once).hasSuffix("\n403 "))
        _ = try await guest.shell(
            "mariadb wordpress -e \"UPDATE wp_options SET option_value = '1 1' WHERE option_name LIKE 'innkeeper_login_%'\""
        )
        for wrong in [late, token("z"), "short"] { #expect(try await enter(wrong).hasSuffix("\n403 "), "\(wrong)") }
        let nobody = await #expect(throws: DriverError.self) { try await keep(token("w"), user: "nobody") }
        #expect(nobody?.message.contains("no such administrator") == true && nobody?.retryable == false)
        let bad = await #expect(throws: DriverError.self) { try await keep("not a token") }
        #expect(bad?.message.contains("letters and digits") == true)
    }

    private static func logsIn(_ guest: RealGuest, _ password: String) async throws -> Bool {
        let answer = try await guest.get(
            "/wp-login.php",
            [
                "--cookie", "wordpress_test_cookie=WP%20Cookie%20check", "--data-urlencode", "log=admin",
                "--data-urlencode",
                "pwd=\(password)", "--data-urlencode", "testcookie=1",
            ])
        return answer.hasSuffix("\n302 http://shop.example.org/wp-admin/")
    }

    /// The site behind a proxy that speaks HTTPS, at another address.
    private static func move(_ guest: RealGuest) async throws {
        let parts = guest.address.split(separator: ".").dropLast()
        let proxy = (parts + ["1"]).joined(separator: ".")
        let order: JSONObject = [
            "recipe": "wordpress", "verb": "address",
            "parameters": ["url": "https://www.example.net", "proxies": .string(proxy)],
        ]
        #expect(try await guest.perform("recipe.run", order).changed)
        #expect(try await !guest.perform("recipe.run", order).changed)
        let secure = ["-H", "X-Forwarded-Proto: https", "-H", "X-Forwarded-For: 192.0.2.77"]
        let page = try await guest.get("/", host: "www.example.net", secure)
        #expect(page.hasSuffix("\n200 ") && page.contains("https://www.example.net/"))
        #expect(try await guest.shell("tail -n 1 /var/log/nginx/access.log").hasPrefix("192.0.2.77 "))
        let seen = try await guest.perform("recipe.look", ["recipe": "wordpress", "verb": "report"])
        #expect(seen.observed["returned"]?["url"] == "https://www.example.net")
        #expect(seen.observed["returned"]?["front_page"] == "200")
    }
}
