import APIModels
import ControllerCore
import HTTPFetch
import Model
import NIOCore
import NIOEmbedded
import Store
import TestSupport
import Testing

@testable import API
@testable import HTTP

/// What one caller may hold, so that it keeps neither the others nor the operator out.
@Suite struct CallerPlacesTests {
    private static func caller(_ name: String, _ scope: Scope = .read) -> Caller {
        Caller(key: "key_\(name)", name: name, scopes: [scope])
    }

    private static func limits(_ change: (inout CallerLimits) -> Void) -> CallerLimits {
        var limits = CallerLimits()
        change(&limits)
        return limits
    }

    @Test func `who has his share of connections loses the one that he has not used longest`() async throws {
        let places = CallerPlaces(Self.limits { ($0.connectionsPerCaller, $0.reserved) = (2, 1) }, connections: 10)
        let channels = (0..<3).map { _ in NIOAsyncTestingChannel() }
        for channel in channels { try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)) }
        for channel in channels[..<2] { try places.begin(Self.caller("a"), on: channel).release() }
        try places.begin(Self.caller("a"), on: channels[0]).release()
        try places.begin(Self.caller("a"), on: channels[2]).release()
        #expect(await eventually { !channels[1].isActive })
        #expect(channels[0].isActive && channels[2].isActive && places.held == 2)
        #expect(throws: Never.self) { try places.begin(Self.caller("b"), on: NIOAsyncTestingChannel()).release() }
    }

    @Test func `connections in use are not taken away: then the newcomer is refused, and later let in`() throws {
        let places = CallerPlaces(Self.limits { $0.connectionsPerCaller = 2 }, connections: 100)
        let held = try (0..<2).map { _ in try places.begin(Self.caller("a"), on: NIOAsyncTestingChannel()) }
        let problem = #expect(throws: Problem.self) { try places.begin(Self.caller("a"), on: NIOAsyncTestingChannel()) }
        #expect(problem?.kind == .hammering && problem?.status == 429)
        held[0].release()
        #expect(throws: Never.self) { try places.begin(Self.caller("a"), on: NIOAsyncTestingChannel()).release() }
    }

    @Test func `however many keys there are, room is left for administrators`() throws {
        let places = CallerPlaces(Self.limits { $0.reserved = 2 }, connections: 6)
        let held = try (0..<4).map { try places.begin(Self.caller("\($0)"), on: NIOAsyncTestingChannel()) }
        let problem = #expect(throws: Problem.self) { try places.begin(Self.caller("x"), on: NIOAsyncTestingChannel()) }
        #expect(problem?.status == 503)
        let admins = try (0..<2).map {
            try places.begin(Self.caller("admin\($0)", .admin), on: NIOAsyncTestingChannel())
        }
        withExtendedLifetime((held, admins)) {}
    }

    @Test func `streams have shares of their own`() throws {
        let places = CallerPlaces(
            Self.limits { ($0.streams, $0.streamsPerCaller, $0.reserved) = (4, 2, 1) }, connections: 100)
        let channel = NIOAsyncTestingChannel()
        let first = try places.openStream(Self.caller("a"), on: channel)
        let second = try places.openStream(Self.caller("a"), on: channel)
        #expect(throws: Problem.self) { try places.openStream(Self.caller("a"), on: channel) }
        let third = try places.openStream(Self.caller("b"), on: channel)
        #expect(throws: Problem.self) { try places.openStream(Self.caller("c"), on: channel) }
        let admin = try places.openStream(Self.caller("admin", .admin), on: channel)
        first.release()
        first.release()
        #expect(throws: Never.self) { try places.openStream(Self.caller("c"), on: channel).release() }
        withExtendedLifetime((second, third, admin)) {}
    }

    @Test func `a connection that ends gives its place back`() async throws {
        let places = CallerPlaces(CallerLimits(), connections: 100)
        let channel = NIOAsyncTestingChannel()
        try places.begin(Self.caller("a"), on: channel).release()
        #expect(places.held == 1)
        try await channel.close()
        #expect(await eventually { places.held == 0 })
    }

    @Test func `requests at once have a limit`() throws {
        let places = CallerPlaces(Self.limits { $0.requestsPerCaller = 2 }, connections: 100)
        let channel = NIOAsyncTestingChannel()
        let held = try (0..<2).map { _ in try places.begin(Self.caller("a"), on: channel) }
        #expect(throws: Problem.self) { try places.begin(Self.caller("a"), on: channel) }
        withExtendedLifetime(held) {}
        for place in held { place.release() }
        #expect(throws: Never.self) { try places.begin(Self.caller("a"), on: channel).release() }
    }

    @Test func `one key with all the streams it can get keeps neither the operator nor health out`() async throws {
        try await OpenHouse.with({
            $0.http.maximumConnections = 24
            ($0.http.callers.connectionsPerCaller, $0.http.callers.streamsPerCaller, $0.http.callers.reserved) = (
                6, 6, 4
            )
        }) { open in
            let key = try await open.house.key("read")
            var streams: [HTTPStream] = []
            for _ in 0..<40 {
                var request = open.stream("/api/v1/events")
                request.headers["Authorization"] = "Bearer \(key)"
                let stream = try await HTTPClient().stream(request)
                if stream.status == 200 { streams.append(stream) } else { #expect(stream.status == 429) }
            }
            #expect(streams.count == 6)
            for _ in 0..<10 {
                #expect(try await HTTPClient().send(open.request("GET", "/healthz")).status == 200)
                #expect(try await HTTPClient().send(open.request("GET", "/api/v1/nodes")).status == 200)
            }
            withExtendedLifetime(streams) {}
        }
    }

    @Test func `the stream of a key that is revoked ends`() async throws {
        try await OpenHouse.with({ $0.http.paceEvents(heartbeat: .milliseconds(20), patience: .seconds(30)) }) { open in
            let key = try await open.house.key("read")
            var request = open.stream("/api/v1/events?kind=plan")
            request.headers["Authorization"] = "Bearer \(key)"
            var reader = LiveEvents(try await open.client.stream(request))
            try await reader.started()
            let id = try #require(KeyText(key)?.id)
            _ = try await open.house.store.revokeKey(id, at: open.house.clock.time)
            #expect(try await reader.next() == nil)
        }
    }
}
