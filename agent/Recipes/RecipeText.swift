/// What is streamed into a guest's shell: the values, a few words for the script, the script, and a last line by which the
/// shell knows that it has got all of it.
///
/// Nothing of it stands in a command line, in the environment of a child, or in a file.
struct RecipeText {
    /// Without this last line nothing is begun: the way in may have been cut in the middle of a script.
    static let end = "# innkeeper: that was all"

    /// The shell reads everything before it does anything, so that no program of the script eats the rest of it.
    static let command = [
        "/bin/sh", "-c",
        "text=$(cat); case \"$text\" in *\"$1\") eval \"$text\" ;; *) echo 'the recipe did not arrive whole' >&2; exit 96 ;; esac",
        "innkeeper-recipe", end,
    ]

    let recipe: Recipe
    let verb: RecipeVerb
    let phase: RecipePhase
    let values: [(name: String, value: String)]
    let marker: String

    var bytes: [UInt8] {
        let script = String(decoding: phase == .run ? verb.script : verb.check ?? [], as: UTF8.self)
        let named = [
            ("recipe_name", recipe.name), ("recipe_version", recipe.version), ("recipe_phase", phase.rawValue),
            ("recipe_systems", recipe.systems.joined(separator: " ")),
        ]
        let variables = (named + values.map { ("param_\($0.name)", $0.value) }).map { "\($0.0)=\(Self.quoted($0.1))\n" }
        let lock = verb.changes ? Self.lock(marker) : ""
        return Array(
            """
            exec 9>&1 </dev/null
            umask 022
            cd /
            export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root
            export DEBIAN_FRONTEND=noninteractive
            \(variables.joined())progress() { printf '\(marker) progress %s %s\\n' "$1" "$2" >&9; }
            give() { printf '\(marker) give %s %s\\n' "$1" "$2" >&9; }
            unchanged() { printf '\(marker) unchanged\\n' >&9; }
            fail() { printf '\(marker) fail %s\\n' "$*" >&9; exit 1; }
            fail_for_now() { printf '\(marker) again %s\\n' "$*" >&9; exit 1; }
            recipe_system=$(. /etc/os-release 2>/dev/null; printf %s "${ID:-unknown}-${VERSION_ID:-unknown}")
            case " $recipe_systems " in
            *" $recipe_system "*) ;;
            *) printf '\(marker) system %s\\n' "$recipe_system" >&9; exit 0 ;;
            esac
            \(lock)printf '\(marker) began\\n' >&9
            script=\(Self.quoted(script))
            ( set -eu; eval "$script" ) 8>&-
            printf '\(marker) ended %s\\n' "$?" >&9
            \(Self.end)
            """.utf8)
    }

    /// A run that an agent left behind when it died may still be at work: it ends at its next word, since nobody hears it.
    /// The lock is held by this shell alone; nothing that the script starts and leaves behind keeps it.
    private static func lock(_ marker: String) -> String {
        """
        if command -v flock >/dev/null 2>&1 && mkdir -p /run/lock && exec 8>/run/lock/innkeeper-recipe; then
            flock -w 60 8 || { printf '\(marker) busy\\n' >&9; exit 0; }
        fi

        """
    }

    /// In single quotes, where a shell reads nothing in its own way.
    static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}

/// What a run of a script is for.
enum RecipePhase: String {
    /// Whether the guest is as wanted already.
    case before
    case run
    /// Whether it is so now.
    case after
}
