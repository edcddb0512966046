import Glibc
import TestSupport
import Testing

@testable import innkeeper_soak

@Suite struct SlopeTests {
    /// A reading every five seconds, with noise that comes and goes like that of a real process.
    private func readings(
        perHour: Double, minutes: Double, noise: Double, seed: UInt64
    ) -> [(hours: Double, value: Double)] {
        var numbers = SeededGenerator(seed: seed)
        var drift = 0.0
        return (0..<Int(minutes * 12)).map { index in
            drift = drift * 0.9 + Double.random(in: -noise...noise, using: &numbers)
            let hours = Double(index) * 5 / 3600
            return (hours, 10_000 + perHour * hours + drift)
        }
    }

    @Test(arguments: [-500.0, 0, 300, 4000])
    func `the true slope lies in the interval for nearly every seed`(perHour: Double) throws {
        var hits = 0
        for seed in 1...100 as ClosedRange<UInt64> {
            let points = readings(perHour: perHour, minutes: 45, noise: 30, seed: seed)
            let slope = try #require(Slope(points, blockHours: 1.0 / 60))
            if abs(slope.perHour - perHour) <= slope.halfWidth { hits += 1 }
        }
        #expect(hits >= 88)
    }

    @Test func `a line without noise has its own slope and no doubt`() throws {
        let slope = try #require(Slope((0..<60).map { (Double($0) / 60, Double($0)) }, blockHours: 1.0 / 60))
        #expect(abs(slope.perHour - 60) < 0.001 && slope.halfWidth < 0.001)
    }

    @Test func `a leak of some kilobytes a minute is told from a busy process`() throws {
        let leak = try #require(
            Slope(readings(perHour: 4096, minutes: 40, noise: 60, seed: 7), blockHours: 1.0 / 60))
        let none = try #require(Slope(readings(perHour: 0, minutes: 40, noise: 60, seed: 7), blockHours: 1.0 / 60))
        let bound = try #require(Figure.own.bound(of: "controller"))
        #expect(leak.lowest > bound && none.lowest < bound)
    }

    @Test func `too few readings have no slope`() {
        #expect(Slope(readings(perHour: 10, minutes: 3, noise: 1, seed: 1), blockHours: 1.0 / 60) == nil)
        #expect(Slope([], blockHours: 1) == nil)
    }

    @Test func `what fills up and stays is told from what grows without end`() {
        let bound = 2048.0
        let noise = readings(perHour: 0, minutes: 40, noise: 20, seed: 3)
        // A cache of 12 MiB that is half full after five minutes.
        let cache = noise.map { ($0.hours, $0.value + 12_288 * (1 - Growth.half(of: $0.hours * 12))) }
        #expect(Growth(cache, bound: bound) == .warmsUp)
        #expect(Growth(readings(perHour: 6144, minutes: 40, noise: 20, seed: 3), bound: bound) == .grows)
        #expect(Growth(noise, bound: bound) == .none)
        // The same leak beside a cache that fills up is still a leak.
        let both = cache.map { ($0.0, $0.1 + 6144 * $0.0) }
        #expect(Growth(both, bound: bound) == .grows)
    }

    @Test func `a run that rises and is too short to say why is undecided and not good`() {
        let short = readings(perHour: 6144, minutes: 9, noise: 20, seed: 3)
        #expect(Growth(short, bound: 2048) == .undecided && !Growth.undecided.isGood)
    }

    @Test func `a figure without a bound may grow`() {
        #expect(Growth(readings(perHour: 9_999, minutes: 40, noise: 1, seed: 1), bound: nil) == .none)
    }
}

extension Growth {
    /// What is left after so many half lives.
    fileprivate static func half(of lives: Double) -> Double { exp2(-lives) }
}
