import APIModels
import Glibc
import HTTPFetch
import Processes
package import StandIns
import TestSupport
package import WireProtocol

/// All that a site needs: a controller, a node of an emulated Proxmox whose containers have a network of their own, and outside of them
/// DNS, a proxy with a real nginx, and resolvers.
package struct SiteTown: Installed {
    package let installation: Installation
    package let outside: StandIns
    /// Under which the world reaches the proxy.
    package let address: String
    /// Of the node.
    package let agent: Daemon
    /// Of the emulated node.
    private let root: String
    /// Of the listener of the compatible API alone.
    private let ownURL: String
    private static let template = "debian-12-site.tar.zst"
    /// The folder of the agent.
    package static let node = "pve"

    /// - Parameters:
    ///   - configuration: of the controller, over what tests usually have.
    ///   - wrappers: commands that run the daemons, before their own.
    package static func with(
        configuration: JSONObject = [:],
        wrappers: (Installation) async throws -> (controller: [String], agent: [String]) = { _ in ([], []) },
        _ body: (SiteTown) async throws -> Void
    ) async throws {
        let address = "127.84.\(Int.random(in: 1...250)).\(Int.random(in: 1...250))"
        try await StandIns.with(proxy: true, address: address) { outside in
            let own = "127.0.0.1:\(try freePort())"
            var all = configuration
            all["compatibility"] = [
                "wordpress": ["listen": .string(own), "plain": true, "open": true, "wait_s": 120]
            ]
            all["site_authorities"] = .string(outside.folder.file("authority.pem"))
            let installation = try await Installation("town", configuration: all)
            let words = try await wrappers(installation)
            let town = SiteTown(
                installation: installation, outside: outside, address: address,
                agent: try Self.agent(installation), root: installation.folder.file("pve.root"), ownURL: "http://\(own)"
            )
            do {
                town.agent.wrap(in: words.agent)
                town.controller.wrap(in: words.controller)
                try await town.open()
                try await body(town)
            } catch {
                await town.close()
                throw error
            }
            await town.close()
        }
    }

    // MARK: building

    private func open() async throws {
        try await makeNode()
        try await installation.open()
        try await enrol(Self.node, label: "role=sites")
        try agent.start()
        try await node(Self.node) { $0.state == "connected" }
        try await setUp()
    }

    private static func agent(_ installation: Installation) throws -> Daemon {
        let folder = installation.folder
        let policy = try folder.write(
            JSONValue.object(["allow": [["operation": "*"]]]).encoded, to: "policy.json")
        return try installation.agent(
            node,
            configuration: [
                "drivers": ["host", "proxmox"], "host_root": .string(folder.file("pve.root")),
                "policy": .string(policy),
                "recipe_folders": [.string(folder.file("recipes"))],
            ])
    }

    private func close() async {
        for name in (try? await containers()) ?? [] { _ = try? await pct("stop", name) }
        await installation.stop()
    }

    private func makeNode() async throws {
        mkdir(root, 0o755)
        let folder = installation.folder
        try folder.write(Array(#"{"pace": 0.01, "network": true}"#.utf8), to: "pve.root/emulator.json")
        try await Self.succeed(Checkout.emulator("proxmox/node"), [root])
        // A system that the recipe knows.
        let cache = "\(root)/var/lib/vz/template/cache"
        try await Self.succeed("cp", ["\(cache)/debian-12-standard_12.0_amd64.tar.zst", "\(cache)/\(Self.template)"])
        mkdir(folder.file("etc"), 0o755)
        try folder.write(Array("ID=debian\nVERSION_ID=\"12\"\n".utf8), to: "etc/os-release")
        try await Self.succeed("tar", ["-C", folder.path, "-rf", "\(cache)/\(Self.template)", "etc/os-release"])
        for name in ["recipes", "recipes/wordpress"] { mkdir(folder.file(name), 0o755) }
        for (name, text) in SiteRecipe.files {
            try folder.write(Array(text.utf8), to: "recipes/wordpress/\(name)")
            chmod(folder.file("recipes/wordpress/\(name)"), 0o644)
        }
    }

    private func setUp() async throws {
        let third = Int.random(in: 1...250)
        let resolver: JSONObject = [
            "name": "names", "kind": "resolver",
            "settings": ["servers": [.string("127.0.0.1:\(outside.port(.dns))")], "ask_authorities": false],
        ]
        let integrations: [JSONObject] = [
            [
                "name": "dns", "kind": "cloudflare",
                "settings": [
                    "token": "cf-token", "zone": "example.org", "url": .string("\(outside.url(.cloudflare))/client/v4"),
                ],
            ],
            [
                "name": "proxy", "kind": "nginx-proxy-manager",
                "settings": [
                    "url": .string(outside.url(.npm)), "email": "innkeeper@example.org", "password": "npm-password",
                    "addresses": [.string(address)],
                ],
            ],
        ]
        for one in integrations + [resolver] { try await post("/api/v1/integrations", one) }
        try await post(
            "/api/v1/networks",
            [
                "name": "sites",
                "spec": [
                    "kind": "bridge", "interface": "vmbr0",
                    "subnets": [
                        [
                            "prefix": .string("198.19.\(third).0/24"), "gateway": .string("198.19.\(third).1"),
                            "ranges": [.string("198.19.\(third).10-198.19.\(third).99")],
                        ]
                    ],
                ],
            ])
        try await post(
            "/api/v1/plans",
            [
                "name": "basic", "product": "wordpress",
                "spec": [
                    "memory_bytes": .integer(512 << 20), "cores": 1, "disk_bytes": .integer(4 << 30), "domains": 1,
                    "template": .string("local:vztmpl/\(Self.template)"), "storage": "local", "network": "sites",
                    "zone": "sites.example.org", "ha": "off",
                    "backups": ["retention": 1, "storage": "local"],
                ],
            ])
    }

    private func post(_ path: String, _ body: JSONObject) async throws {
        let response = try await installation.front.send("POST", path, JSONValue.object(body).text)
        guard response.status < 300 else {
            throw SetupFailure("\(path): \(String(decoding: response.body, as: UTF8.self))")
        }
    }

    // MARK: asking

    /// What the API of sites says: below its prefix with a key, or on its own listener without.
    package func ask(
        _ method: String, _ path: String, _ body: JSONObject? = nil, own: Bool = false
    ) async throws -> (status: Int, body: JSONValue) {
        let response: HTTPResponse
        if own {
            var request = HTTPRequest(method, ownURL + path)
            request.timeout = .seconds(150)
            if let body {
                request.headers["Content-Type"] = "application/json"
                request.body = .bytes(JSONValue.object(body).encoded)
            }
            response = try await HTTPClient().send(request)
        } else {
            response = try await installation.front.send(
                method, "/compat/wordpress\(path)", body.map { JSONValue.object($0).text })
        }
        return (response.status, try JSONParser.parse(response.body))
    }

    /// What a visitor sees: the page, a blank and the status.
    package func visit(_ host: String) async throws -> String {
        let seen = try await Child.run(
            ProcessRequest(
                "curl",
                [
                    "-s", "-m", "20", "--cacert", outside.folder.file("authority.pem"), "--resolve",
                    "\(host):443:\(address)", "-w", " %{http_code}", "https://\(host)/",
                ], deadline: .seconds(60)))
        return seen.outputText
    }

    @discardableResult
    package func pct(_ words: String...) async throws -> String {
        try await Self.succeed("\(root)/usr/sbin/pct", words).outputText
    }

    /// The numbers of the node's containers.
    package func containers() async throws -> [String] {
        try await pct("list").split(separator: "\n").dropFirst().compactMap {
            $0.split(separator: " ").first.map(String.init)
        }
    }

    @discardableResult
    private static func succeed(_ program: String, _ words: [String]) async throws -> ProcessOutcome {
        let outcome = try await Child.run(ProcessRequest(program, words, deadline: .seconds(60)))
        guard outcome.succeeded else { throw SetupFailure("\(program) \(words): \(outcome.errorText)") }
        return outcome
    }
}

/// A recipe of the same name and parameters as the package's, which needs no more than a shell: a page that says whose it is.
private enum SiteRecipe {
    static let files = [
        "recipe.json": """
        {"version": "1.0.0", "summary": "a page", "systems": ["debian-12"],
         "parameters": {
           "url": {"form": "url", "help": "x"}, "title": {"form": "text", "help": "x", "optional": true},
           "admin_email": {"form": "email", "help": "x", "optional": true},
           "admin_user": {"form": "identifier", "help": "x", "default": "admin"},
           "admin_password": {"form": "text", "help": "x", "secret": true, "optional": true}},
         "returns": {"url": {"help": "x"}, "wordpress_version": {"help": "x"}},
         "verbs": {
           "report": {"summary": "x", "changes": false, "returns": {"nginx": {"help": "x"}}},
           "address": {"summary": "x", "parameters": {"url": {"form": "url", "help": "x"}}}}}
        """,
        "common.sh": """
        serve() {
            mkdir -p /var/www
            printf '{"home":"%s"}' "$1" >/var/www/index.html
            ps | grep -q '[h]ttpd' || /bin/busybox httpd -h /var/www -p 80 </dev/null >/dev/null 2>&1 8>&- 9>&-
        }
        """,
        "install.sh":
            "progress 0.5 'making a page'\nserve \"$param_url\"\ngive url \"$param_url\"\ngive wordpress_version 6.8\n",
        "check.sh": """
        [ "$(cat /var/www/index.html 2>/dev/null)" = "{\\"home\\":\\"$param_url\\"}" ] && ps | grep -q '[h]ttpd' || exit 1
        give url "$param_url"
        give wordpress_version 6.8

        """,
        "report.sh": "if ps | grep -q '[h]ttpd'; then give nginx running; else give nginx stopped; fi\n",
        "address.sh": "serve \"$param_url\"\n",
    ]
}
