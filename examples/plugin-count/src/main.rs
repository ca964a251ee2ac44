use beakerhelpers_count as _;

fn main() -> std::process::ExitCode {
    beakerhelpers_cli::main()
}
