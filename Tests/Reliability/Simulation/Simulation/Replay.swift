/// One seed in this process, with everything that happens.
struct Replay {
    let seed: UInt64
    let wishes: Wishes
    let identities: Identities

    func run() -> Int32 {
        Scheduler.shared.trace.isPrinting = !wishes.isQuiet
        SharedPool.takeOver()
        let report = Trial(seed: seed, plant: wishes.plant, identities: identities).run()
        for violation in report.violations { print("VIOLATED \(violation)") }
        print(
            "seed \(seed): \(report.violations.isEmpty ? "good" : "BAD"), \(report.steps) steps, "
                + "\(report.time.text) s of virtual time, \(report.operations) operations, \(report.effects) effects, "
                + "fingerprint \(String(report.fingerprint, radix: 16))")
        return report.violations.isEmpty ? 0 : 1
    }
}
