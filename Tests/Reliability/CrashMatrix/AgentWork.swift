import APIModels
import Glibc
import Model
import Processes
import SiteSupport
import TestSupport
import Transport
import WireProtocol

/// Makes a folder that only its owner may touch; one that is there stays.
func makeFolder(_ path: String) { mkdir(path, 0o700) }

/// `innkeeper-agent enrol`.
actor EnrollingWork: FileWork {
    nonisolated let subject = "agent enrol"
    private let installation: Installation
    private var tokens: [Int: String] = [:]

    init(_ installation: Installation) { self.installation = installation }

    private func words(_ number: Int) -> [String] {
        let data = installation.folder.file("enrol-\(number)")
        return ["enrol", "--controller", installation.addresses.agents, "--token", "-", "--data", data]
    }

    func prepare(_ number: Int) async throws -> String {
        tokens[number] = try await installation.order("token", "create", "--uses", "1", "--expires", "15m").output
        return installation.folder.file("enrol-\(number)")
    }

    func attempt(_ number: Int, _ trap: Trap) async throws {
        try await Ground.run(trap, "innkeeper-agent", words(number), input: tokens[number] ?? "")
    }

    /// The same token, good for one use, makes the machine the node that it was to be, and no second one.
    func faults(_ number: Int) async throws -> [String] {
        let name = "enrol-\(number)"
        let again = try await Programs.run("innkeeper-agent", words(number), input: tokens[number] ?? "")
        guard again.succeeded else { return ["enrol: \(again.errorText)"] }
        let nodes = try await installation.front.get("/api/v1/nodes?limit=200", as: Listing<Node>.self).items
        var faults: [String] = []
        if !nodes.contains(where: { $0.id == (try? installation.node(name)) }) { faults.append("it is no node") }
        if nodes.count != Set(tokens.keys).count { faults.append("\(nodes.count) nodes of \(tokens.count) machines") }
        let files = Ground.files(in: installation.folder.file(name))
        return files == ["identity.json", "lock"] ? faults : faults + ["the folder holds \(files)"]
    }
}

/// The agent's first start, or one with a certificate that is due.
struct StartingWork: FileWork {
    let subject: String
    let marks: [String]
    let isSteady: Bool
    let installation: Installation
    /// The certificate is two thirds through its life.
    let isDue: Bool

    static func first(_ installation: Installation) -> StartingWork {
        StartingWork(
            subject: "agent first start", marks: [], isSteady: false, installation: installation, isDue: false)
    }

    static func renewal(_ installation: Installation) -> StartingWork {
        StartingWork(
            subject: "agent renewal", marks: ["identity.json"], isSteady: true, installation: installation, isDue: true)
    }

    /// A node of its own: a controller renews the certificate of one only now and then.
    func prepare(_ number: Int) async throws -> String {
        let name = name(number)
        try await installation.enrol(name, label: "role=test")
        if isDue { try installation.folder.write(aged(identity(number)), to: "\(name)/identity.json") }
        return installation.folder.file(name)
    }

    func attempt(_ number: Int, _ trap: Trap) async throws {
        let agent = try installation.agent(name(number))
        agent.wrap(in: trap.wrapper())
        try agent.start()
        let isOver = await eventually(within: .seconds(60)) { trap.hasSprung || isDone(agent) }
        let said = agent.log
        await agent.kill()
        guard isOver else { throw SetupFailure("\(subject): it is not done: \(said)") }
    }

    func faults(_ number: Int) async throws -> [String] {
        let agent = try installation.agent(name(number))
        // Sooner, it is not renewed again.
        if !isRenewed(number) { try await Task.sleep(for: .seconds(11)) }
        try agent.start()
        let isWell = await eventually(within: .seconds(60)) {
            agent.log.contains("msg=connected") && self.isRenewed(number)
        }
        let said = agent.log
        await agent.stop()
        let drafts = Ground.files(in: installation.folder.file(name(number))).filter { $0.hasSuffix(".new") }
        return (isWell ? [] : ["it does not come up: \(said)"]) + drafts.map { "\($0) is left over" }
    }

    private func name(_ number: Int) -> String { "\(subject.split(separator: " ").joined(separator: "-"))-\(number)" }
    private func identity(_ number: Int) throws -> [UInt8] {
        try installation.folder.read("\(name(number))/identity.json")
    }

    private func isDone(_ agent: Daemon) -> Bool {
        agent.log.contains(isDue ? "the certificate is renewed" : "msg=connected")
    }

    private func isRenewed(_ number: Int) -> Bool {
        guard isDue else { return true }
        guard let text = try? JSONParser.parse(identity(number))["certificate"]?.asString,
            let certificate = try? Certificate(pem: text)
        else { return false }
        // The aged one is of 25 days ago; each begins a day before it is issued.
        return certificate.notBefore > Timestamp.now().milliseconds - 2 * 86_400_000
    }

    /// The same identity with a certificate of 25 days ago.
    private func aged(_ identity: [UInt8]) throws -> [UInt8] {
        guard var fields = try JSONParser.parse(identity).asObject else { throw SetupFailure("no identity") }
        let authority = try CertificateAuthority(
            certificatePEM: PEMFile.read(installation.folder.file("controller/ca.pem")),
            keyPEM: PEMFile.readKey(installation.folder.file("controller/ca.key")))
        let key = try PrivateKey(pem: fields.string("key"))
        let node = try fields.string("node")
        let request = try CertificateSigningRequest(pem: CertificateSigningRequest.make(key: key, commonName: node))
        let certificate = try authority.issueNode(
            csr: request, nodeID: node, validity: .seconds(30 * 86_400),
            now: Timestamp.now().milliseconds - 25 * 86_400_000)
        fields["certificate"] = .string(certificate.pem)
        // Of the file as it was; one without is of the first version.
        fields["digest"] = nil
        return JSONValue.object(fields).encoded
    }
}
