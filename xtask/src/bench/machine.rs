//! What the numbers were measured on.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Instant;

use super::stats::median;
use crate::run::Result;

const UNKNOWN: &str = "unknown";

/// What is to be said of the machine and of the disk of `folder`: nothing that names it.
pub(crate) fn facts(folder: &Path) -> Result<Vec<(&'static str, String)>> {
    let cores = thread::available_parallelism().map_or(UNKNOWN.to_owned(), |cores| cores.to_string());
    let cpu = read("/proc/cpuinfo");
    let model = field(&cpu, "model name").unwrap_or(UNKNOWN);
    let memory = read("/proc/meminfo");
    let memory = field(&memory, "MemTotal").and_then(gibibytes).unwrap_or_else(|| UNKNOWN.to_owned());
    let kernel = ["/proc/sys/kernel/ostype", "/proc/sys/kernel/osrelease"].map(|path| read(path).trim().to_owned());
    let memory_only = if is_memory(folder) { ", which is no disk: temporary files are memory here" } else { "" };
    let disk = disk(folder) + memory_only;
    Ok(vec![
        ("Cores", format!("{cores} ({model})")),
        ("Memory", memory),
        ("Kernel", kernel.join(" ").trim().to_owned()),
        ("Disk", format!("{disk}; {:.1} ms to write 4 KiB and sync (median)", sync_time(folder)? * 1e3)),
    ])
}

/// How many programs wanted to run, over the last minute.
pub(crate) fn load() -> String {
    read("/proc/loadavg").split_whitespace().next().unwrap_or(UNKNOWN).to_owned()
}

/// Whether what is written there stays in memory.
pub(crate) fn is_memory(folder: &Path) -> bool {
    disk(folder).starts_with("tmpfs")
}

/// The file system of a folder, and what it is on.
pub(crate) fn disk(folder: &Path) -> String {
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    file_system(&read("/proc/mounts"), &folder).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// Of the mounts that the folder is under, the kind of the innermost one, which is the last where several are at one place.
fn file_system(mounts: &str, folder: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?, words.next()?))
    });
    let (device, _, kind) = mounts
        .filter(|(_, at, _)| folder.starts_with(at))
        .max_by_key(|(_, at, _)| Path::new(at).components().count())?;
    let device = match device.strip_prefix("/dev/") {
        Some(name) if name.starts_with("vd") || name.starts_with("xvd") => " on a virtual disk",
        Some(name) if name.starts_with("nvme") => " on an NVMe disk",
        Some(name) if name.starts_with("sd") => " on a SCSI or SATA disk",
        _ => "",
    };
    Some(format!("{kind}{device}"))
}

/// What a commit costs at least: the time of a small write that waits for the disk.
fn sync_time(folder: &Path) -> Result<f64> {
    let path = folder.join("sync");
    let probe = || -> std::io::Result<Vec<f64>> {
        let mut file = File::create(&path)?;
        let mut times = Vec::new();
        for _ in 0..50 {
            let started = Instant::now();
            file.write_all(&[0; 4096])?;
            file.sync_data()?;
            times.push(started.elapsed().as_secs_f64());
        }
        fs::remove_file(&path)?;
        Ok(times)
    };
    probe().map(|times| median(&times)).map_err(|error| format!("{}: {error}", path.display()))
}

/// What is not there is empty: only Linux has it.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim())
    })
}

fn gibibytes(kibibytes: &str) -> Option<String> {
    let number: u32 = kibibytes.strip_suffix(" kB")?.parse().ok()?;
    Some(format!("{:.0} GiB", f64::from(number) / f64::from(1 << 20)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_is_the_disk() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n/dev/nvme0n1p2 /srv xfs rw 0 0\n\
                      overlay /srv overlay rw 0 0\nbroken\n";
        let kind = |folder| file_system(mounts, Path::new(folder)).unwrap();
        assert_eq!(kind("/home/project"), "ext4 on a virtual disk");
        assert_eq!(kind("/run/project"), "tmpfs");
        assert_eq!(kind("/running"), "ext4 on a virtual disk");
        assert_eq!(kind("/srv/project"), "overlay");
        assert_eq!(file_system("", Path::new("/")), None);
    }

    #[test]
    fn fields_are_found_by_name() {
        let text = "MemFree:        5 kB\nMemTotal:       24684096 kB\nmodel name\t: Fast\n";
        assert_eq!(field(text, "MemTotal").and_then(gibibytes).as_deref(), Some("24 GiB"));
        assert_eq!(field(text, "model name"), Some("Fast"));
        assert_eq!(field(text, "flags"), None);
        assert_eq!(gibibytes("much"), None);
    }
}
