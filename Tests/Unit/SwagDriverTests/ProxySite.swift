import DriverKit
import Glibc
import Logging
import Processes
import SwagDriver
import TestSupport
import WireProtocol

/// SWAG's folders around a real nginx of this machine, in a network of its own where port 443 is free.
final class ProxySite: Sendable {
    static let context = ActionContext(commandID: "test", logger: Logger(label: "test"))
    let folder: ScratchFolder
    let driver: SwagDriver
    private let server: BackgroundProgram
    private let inside: [String]

    init() async throws {
        folder = try ScratchFolder("swag")
        try Self.fill(folder)
        let arguments = [
            "-e", folder.file("log/nginx/error.log"), "-p", folder.path, "-c", folder.file("nginx/nginx.conf"),
        ]
        server = try BackgroundProgram(
            "/usr/bin/unshare", ["-n", "/bin/sh", "-c", #"ip link set lo up; exec nginx "$@""#, "nginx"] + arguments,
            log: folder.file("server.log"))
        inside = ["/usr/bin/nsenter", "--net=/proc/\(server.pid)/ns/net", "--"]
        driver = SwagDriver(.command(inside + ["nginx"] + arguments, folder: folder.path))
        let pid = folder.file("nginx.pid")
        guard await eventually({ access(pid, F_OK) == 0 }) else {
            throw SetupFailure("nginx does not start (apt-get install nginx-light): \(server.output.suffix(1000))")
        }
    }

    func stop() async { await server.stop() }

    /// Another program at a port of nginx's network.
    func hold(_ port: Int) throws -> BackgroundProgram {
        try BackgroundProgram(
            inside[0],
            Array(inside.dropFirst()) + ["/bin/busybox", "nc", "-ll", "-p", String(port), "-e", "/bin/true"],
            log: folder.file("holder.log"))
    }

    static func fill(_ folder: ScratchFolder) throws {
        for name in ["nginx", "nginx/proxy-confs", "nginx/site-confs", "log", "log/nginx", "tmp"] {
            mkdir(folder.file(name), 0o755)
        }
        let home = folder.path
        let request =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test "
            + "-keyout \(home)/cert.key -out \(home)/cert.crt >/dev/null 2>&1"
        guard system(request) == 0 else { throw SetupFailure("openssl makes no certificate") }
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        let temporary = kinds.map { "\($0)_temp_path \(home)/tmp;" }.joined(separator: " ")
        let files = [
            "nginx/ssl.conf": "ssl_certificate \(home)/cert.crt;\nssl_certificate_key \(home)/cert.key;\n",
            "nginx/proxy.conf": "proxy_http_version 1.1;\n", "nginx/resolver.conf": "resolver 127.0.0.1;\n",
            "nginx/site-confs/default.conf": """
            server { listen 443 ssl default_server; server_name _; include \(home)/nginx/ssl.conf; return 404; }
            server { listen 80; server_name taken.example.org; return 404; }
            include \(home)/nginx/proxy-confs/*.subdomain.conf;

            """,
            "nginx/nginx.conf": """
            daemon off; pid \(home)/nginx.pid; error_log \(home)/log/nginx/error.log; worker_processes 1;
            events { worker_connections 64; }
            http { access_log off; \(temporary) include \(home)/nginx/site-confs/*.conf; }

            """,
            "nginx/proxy-confs/app.subdomain.conf.sample": """
            ## Version 2025/07/18
            server {
                listen 443 ssl;
                server_name app.*;
                include \(home)/nginx/ssl.conf;
                add_header X-Sample yes always;
                location / {
                    include \(home)/nginx/proxy.conf;
                    include \(home)/nginx/resolver.conf;
                    set $upstream_app app;
                    set $upstream_port 8080;
                    set $upstream_proto http;
                    proxy_pass $upstream_proto://$upstream_app:$upstream_port;
                }
            }

            """,
        ]
        for (name, text) in files { try folder.write(Array(text.utf8), to: name) }
    }

    @discardableResult
    func perform(
        _ operation: String, _ arguments: JSONObject = [:], by other: SwagDriver? = nil
    ) async throws(DriverError) -> ActionOutcome {
        let call = ActionCall(action: operation, resource: "swag/test", arguments: arguments)
        return try await (other ?? driver).perform(call, Self.context)
    }

    func failure(
        _ operation: String, _ arguments: JSONObject = [:], by other: SwagDriver? = nil
    ) async -> DriverError? {
        do {
            try await perform(operation, arguments, by: other)
            return nil
        } catch { return error }
    }

    static func order(_ name: String, _ names: [String], _ more: JSONObject = [:]) -> JSONObject {
        var order: JSONObject = [
            "name": .string(name), "server_names": .array(names.map { .string($0) }), "upstream": "192.0.2.10",
            "port": 8080,
        ]
        for member in more.members { order[member.key] = member.value }
        return order
    }

    func content(_ name: String) -> String? {
        (try? folder.read("nginx/proxy-confs/\(name)")).map { String(decoding: $0, as: UTF8.self) }
    }

    func names() -> [String] {
        guard let open = opendir(folder.file("nginx/proxy-confs")) else { return [] }
        defer { closedir(open) }
        var names: [String] = []
        while let entry = readdir(open) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }

    /// The status of an answer over TLS with this name; 404 is the default site, 502 or 504 an upstream that is not there.
    func status(_ name: String) async throws -> String {
        let words =
            inside + [
                "curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "3", "--resolve",
                "\(name):443:127.0.0.1", "https://\(name)/",
            ]
        let outcome = try await Child.run(ProcessRequest(words[0], Array(words.dropFirst()), deadline: .seconds(20)))
        return outcome.outputText
    }
}
