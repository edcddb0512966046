import AgentCore
import DaemonKit
import Glibc
import TestSupport
import Testing

/// The program's own look at its machine.
@Suite(.timeLimit(.minutes(2))) struct `The agent's doctor` {
    @Test func `names what a machine lacks that was never enrolled, and makes nothing there`() async throws {
        let folder = try ScratchFolder("doctor")
        let data = folder.file("data")
        let (code, text) = try await AgentProgram.runAside(["doctor", "--data", data])
        #expect(code == 1)
        #expect(text.contains("wrong data"), "\(text)")
        #expect(text.contains("wrong identity            \(data) belongs to no node yet"), "\(text)")
        #expect(text.contains("do: innkeeper-agent enrol"), "\(text)")
        #expect(text.contains("driver host") && text.contains("disk") && text.contains("clock"), "\(text)")
        #expect(access(data, F_OK) != 0)
    }

    @Test func `finds nothing wrong with an enrolled node whose controller answers, also while an agent runs`()
        async throws
    {
        let controller = try await ScriptedController()
        let folder = try ScratchFolder("doctor")
        let data = try DataDirectory(folder.file("data"))
        try AgentRig.identity(controller).store(in: data)
        try folder.write(Array(#"{"drivers": ["host"]}"#.utf8), to: "agent.json")
        let (code, text) = try await AgentProgram.runAside([
            "doctor", "--data", data.path, "--config", folder.file("agent.json"),
        ])
        #expect(code == 0, "\(text)")
        #expect(text.hasSuffix("nothing is wrong\n"))
        #expect(text.contains("process \(getpid()) is running on it"), "\(text)")
        #expect(text.contains("\(controller.address) takes connections"), "\(text)")
        #expect(text.contains("driver docker       not wanted by the configuration"), "\(text)")
    }

    @Test func `tells an expired identity, open keys, and a controller that nobody hears`() async throws {
        let controller = try await ScriptedController()
        let folder = try ScratchFolder("doctor")
        let data = try DataDirectory(folder.file("data"))
        let identity = try AgentRig.identity(controller, validity: .seconds(3600), age: .seconds(86_400))
        // Port 1 of this machine: nobody listens there.
        try NodeIdentity(
            node: identity.node, controller: "127.0.0.1:1", serverName: identity.serverName, key: identity.key,
            certificate: identity.certificate, authority: identity.authority
        ).store(in: data)
        let (code, text) = try await AgentProgram.runAside(["doctor", "--data", data.path])
        #expect(code == 1)
        #expect(text.contains("its certificate expired 23 hours ago"), "\(text)")
        #expect(text.contains("wrong controller"), "\(text)")
        chmod(data.file("identity.json"), 0o644)
        let (_, open) = try await AgentProgram.runAside(["doctor", "--data", data.path])
        #expect(open.contains("wrong identity"), "\(open)")
        #expect(open.contains("others may read or write it"), "\(open)")
    }

    @Test func `says what is wrong in the configuration, and of a driver that must be there`() async throws {
        let folder = try ScratchFolder("doctor")
        let file = folder.file("agent.json")
        try folder.write(Array(#"{"drivrs": []}"#.utf8), to: "agent.json")
        let (code, text) = try await AgentProgram.runAside(["doctor", "--data", folder.path, "--config", file])
        #expect(code == 1)
        #expect(text.contains("wrong configuration") && text.contains("drivrs"), "\(text)")
        let socket = folder.file("no.sock")
        let wanting = #"{"drivers": ["docker"], "docker_socket": "\#(socket)"}"#
        try folder.write(Array(wanting.utf8), to: "agent.json")
        let (_, words) = try await AgentProgram.runAside(["doctor", "--data", folder.path, "--config", file])
        #expect(words.contains("wanted by the configuration, but there is no \(socket)"), "\(words)")
    }

    @Test func `says what a driver lacks that is there, and what of it is vital`() async throws {
        let folder = try ScratchFolder("doctor")
        try Self.panel(below: folder)
        try folder.write([], to: "var/lib/innkeeper/cloudpanel")
        let settings = #"{"drivers": ["cloudpanel"], "cloudpanel_root": "\#(folder.path)"}"#
        try folder.write(Array(settings.utf8), to: "agent.json")
        let (code, text) = try await AgentProgram.runAside([
            "doctor", "--data", folder.file("data"), "--config", folder.file("agent.json"),
        ])
        #expect(code == 1)
        #expect(
            text.contains("note  driver cloudpanel   there is no \(folder.path)/usr/sbin/nginx; needed for"), "\(text)")
        #expect(text.contains("do: apt install nginx"), "\(text)")
        let state = "wrong driver cloudpanel   \(folder.path)/var/lib/innkeeper/cloudpanel is no folder; needed for"
        #expect(text.contains(state), "\(text)")
    }

    @Test func `says that the running agent may gain no privileges, which clpctl does`() async throws {
        let folder = try ScratchFolder("doctor")
        try Self.panel(below: folder)
        let settings = #"{"drivers": ["cloudpanel"], "cloudpanel_root": "\#(folder.path)"}"#
        try folder.write(Array(settings.utf8), to: "agent.json")
        mkdir(folder.file("data"), 0o700)
        // In the place of an agent: it holds the lock, as one that may gain nothing.
        let script = #"exec 9>>"$0"; flock 9; echo $$ >"$0"; exec setpriv --no-new-privs sleep 600"#
        let agent = try BackgroundProgram(
            "bash", ["-c", script, folder.file("data/lock")], log: folder.file("log"))
        let arguments = ["doctor", "--data", folder.file("data"), "--config", folder.file("agent.json")]
        let told = try? await eventually("the doctor's word") {
            let (_, text) = try await AgentProgram.runAside(arguments)
            return text.contains("process \(agent.pid) may gain no privileges") ? text : nil
        }
        await agent.stop()
        #expect(told?.contains("take NoNewPrivileges= out of the unit") == true, "\(agent.output)")
    }

    /// As much of a panel as makes its driver be found.
    private static func panel(below folder: ScratchFolder) throws {
        for path in ["usr/bin", "home/clp/htdocs/app/data", "var/lib/innkeeper"] {
            var made = folder.path
            for part in path.split(separator: "/") {
                made += "/\(part)"
                mkdir(made, 0o755)
            }
        }
        try folder.write([], to: "usr/bin/clpctl")
        chmod(folder.file("usr/bin/clpctl"), 0o755)
        try folder.write([], to: "home/clp/htdocs/app/data/db.sq3")
    }
}
