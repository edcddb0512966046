@testable import DaemonKit
@testable import HTTPFetch
@testable import Model
@testable import Transport

/// Short texts: amounts, times, names, tokens, URLs, values of log lines.
enum Names {
    static let targets = [
        FuzzTarget("byte-count", longest: 64) { input in
            guard let count = try attempt({ () throws(GrammarError) in try ByteCount(parsing: text(input)) }) else {
                return
            }
            try require(count.bytes >= 0 && !count.rounded.isEmpty, "a negative amount")
            try require(try ByteCount(parsing: count.description) == count, "\(count) reads back as another amount")
        },
        FuzzTarget("timestamp", longest: 64) { input in
            try timestamp(text(input))
            guard input.count >= 8 else { return }
            let time = Timestamp(milliseconds: input.loadUnaligned(as: Int64.self))
            let back = Timestamp(iso8601: time.iso8601)
            let years = Int64(-62_167_219_200_000)..<253_402_300_800_000
            try require(!years.contains(time.milliseconds) || back == time, "\(time) does not read back")
            _ = (time + .milliseconds(time.milliseconds), time - .milliseconds(time.milliseconds), time - back.or(time))
        },
        FuzzTarget("grammars", longest: 512) { input in try grammars(text(input)) },
        FuzzTarget("join-token", longest: 512) { input in
            if let token = try attempt({ () throws(JoinTokenError) in try JoinToken(text: text(input)) }) {
                try require(try JoinToken(text: token.text) == token, "a token reads back as another")
                try require(!"\(token)".contains(token.secret), "a token prints its secret")
                try require(token.secretHash == JoinToken.hash(ofSecret: token.secret), "another hash")
            }
            try codings(Array(input))
        },
        FuzzTarget("logfmt", longest: 512) { input in try logfmt(text(input)) },
        FuzzTarget("http-target", longest: 512) { input in try target(text(input)) },
    ]

    private static func timestamp(_ text: String) throws {
        guard let time = Timestamp(iso8601: text) else { return }
        try require(text.utf8.count <= 35, "a long time: \(text)")
        let day = Int64(86_400_000)
        let years = (-62_167_219_200_000 + day)..<(253_402_300_800_000 - day)
        if years.contains(time.milliseconds) {
            try require(Timestamp(iso8601: time.iso8601) == time, "\(text) reads back as another time")
        }
    }

    /// What a grammar lets through is safe on a command line, in a path and in a log, and bounded.
    private static func grammars(_ text: String) throws {
        for grammar in [
            Grammar.nodeName, .labelKey, .labelValue, .containerName, .imageReference, .environmentName, .externalID,
            .planName, .identifier, .datasetName, .snapshotName, .poolName, .absolutePath, .hostPort,
        ] {
            let refusal = GrammarError(field: grammar.field, value: text, expectation: grammar.expectation)
            try require(
                refusal.description.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control },
                "an error with control characters")
            try require(refusal.value.unicodeScalars.count <= 65, "an error quotes all of a long text")
            guard grammar.accepts(text) else { continue }
            try require(text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "\(grammar.field) with a control character")
            try require(text.utf8.count <= 4095, "\(grammar.field) of \(text.utf8.count) bytes")
            if grammar.field != Grammar.absolutePath.field {
                try require(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "\(grammar.field) that is not plain ASCII")
            }
            if ![Grammar.externalID.field, Grammar.absolutePath.field].contains(grammar.field) {
                let climbs = text.split(separator: "/").contains { $0 == ".." || $0 == "." }
                try require(
                    !text.hasPrefix("-") && !climbs, "\(grammar.field) that reads as something else: \(text)")
            }
        }
        try path(text)
    }

    private static func path(_ text: String) throws {
        guard Grammar.absolutePath.accepts(text) else { return }
        let parts = text.utf8.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false).map { Array($0) }
        let climbs = parts.contains { $0 == Array("..".utf8) || $0 == Array(".".utf8) }
        try require(text.utf8.first == 0x2F && !climbs, "a path that climbs: \(text)")
    }

    private static func codings(_ bytes: [UInt8]) throws {
        try require(Crypto.bytes(hex: Crypto.hex(bytes)) == bytes, "hexadecimal loses bytes")
        try require(Crypto.bytes(base64url: Crypto.base64url(bytes)) == bytes, "base64url loses bytes")
        if let decoded = Crypto.bytes(base64url: text(bytes)) {
            try require(Crypto.base64url(decoded) == text(bytes), "base64url takes two forms for the same bytes")
        }
    }

    /// One line, one value, nothing lost.
    private static func logfmt(_ text: String) throws {
        let value = Logfmt.value(text)
        let key = Logfmt.key(text)
        let controls = value.unicodeScalars.contains { $0.properties.generalCategory == .control }
        try require(!controls, "a log value with a control character")
        try require(!key.isEmpty && !key.contains("=") && !key.contains(" "), "a log key that ends early")
        try require(key.unicodeScalars.allSatisfy { $0.isASCII && $0.value > 0x20 }, "a log key that is not plain")
        guard value.unicodeScalars.first == "\"" else {
            return try require(value == text && !value.contains(" ") && !value.isEmpty, "a bare value changes")
        }
        try require(unquoted(value) == text, "a quoted value loses something")
    }

    private static func unquoted(_ value: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = value.unicodeScalars.dropFirst().dropLast()
        while let scalar = rest.popFirst() {
            guard scalar == "\\", let next = rest.popFirst() else {
                result.append(scalar)
                continue
            }
            switch next {
            case "n": result.append("\n")
            case "r": result.append("\r")
            case "t": result.append("\t")
            case "u":
                let digits = rest.dropFirst().prefix { $0 != "}" }
                rest = rest.dropFirst(digits.count + 2)
                result.append(
                    UInt32(String(String.UnicodeScalarView(digits)), radix: 16).flatMap(Unicode.Scalar.init) ?? "?")
            default: result.append(next)
            }
        }
        return String(result)
    }

    /// What passes cannot smuggle a second line or another host into the request.
    private static func target(_ text: String) throws {
        let parts = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        let request = HTTPRequest(
            parts.count > 1 ? parts[1] : "GET", parts[0],
            headers: parts.count > 2 ? ["X-Field": parts[2]] : [:])
        let target: HTTPTarget
        do { target = try HTTPTarget(request) } catch {
            return try require(error.kind == .invalidRequest, "refused as \(error.kind)")
        }
        try require(target.url.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }, "a URL with a control character")
        try require(target.url.lowercased().hasPrefix("http"), "a URL of another scheme: \(target.url)")
        try require(!target.subject.contains("\n") && !target.subject.contains("?"), "a subject with too much in it")
    }
}

extension Optional {
    fileprivate func or(_ other: Wrapped) -> Wrapped { self ?? other }
}
