import ArgumentParser
import Glibc

/// What destroys is asked for twice: by a word at the terminal, or by `--yes`.
struct Confirmation: ParsableArguments {
    @Flag(name: [.customShort("y"), .long], help: "Do it without asking. Needed where nobody sits at a terminal.")
    var yes = false

    /// Goes on when the person at the terminal says so.
    /// - Parameter what: the whole consequence in one sentence.
    func ask(_ what: String) throws(Failure) {
        guard !yes else { return }
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
            throw Failure(.usage, "\(what) Nobody can be asked here: give --yes if that is meant.")
        }
        Terminal.note(Terminal.clean(what))
        Terminal.prompt("Type yes to go on: ")
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
            throw Failure(.failed, "nothing was done")
        }
    }
}
