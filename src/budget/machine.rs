//! What the machine has left: the memory that is free, or less where this process or its group may not take all of it.

use std::path::Path;

use sysinfo::System;

/// Bytes that this process can still take. Swap is not counted: a run that needs it is as good as stopped.
pub(crate) fn available() -> u64 {
    let mut system = System::new();
    system.refresh_memory();
    if system.total_memory() == 0 {
        return u64::MAX;
    }
    // Pages of files that a group has read are counted as its own, and given back when they are needed.
    let group = system.cgroup_limits().map_or(u64::MAX, |group| group.total_memory.saturating_sub(group.rss));
    system.available_memory().min(group).min(left_to_groups()).min(unreserved(&mut system))
}

/// What the group of this process, and the groups around that, may still take (control groups of Linux, version 2).
#[cfg(target_os = "linux")]
fn left_to_groups() -> u64 {
    let root = Path::new("/sys/fs/cgroup");
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let Some(own) = groups.lines().find_map(|line| line.strip_prefix("0::/")) else { return u64::MAX };
    let left = |group: &Path| {
        let read = |name: &str| std::fs::read_to_string(group.join(name)).ok();
        let most: u64 = read("memory.max")?.trim().parse().ok()?;
        let statistics = read("memory.stat")?;
        let anonymous = statistics.lines().find_map(|line| line.strip_prefix("anon ")).and_then(|n| n.parse().ok());
        Some(most.saturating_sub(anonymous.unwrap_or(0)))
    };
    root.join(own).ancestors().take_while(|group| group.starts_with(root)).filter_map(left).min().unwrap_or(u64::MAX)
}

#[cfg(not(target_os = "linux"))]
fn left_to_groups() -> u64 {
    u64::MAX
}

/// What the limit on addresses (`ulimit -v`) leaves.
#[cfg(unix)]
fn unreserved(system: &mut System) -> u64 {
    use rustix::process::{Resource, getrlimit};
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate};
    let Some(limit) = getrlimit(Resource::As).current else { return u64::MAX };
    let Ok(own) = sysinfo::get_current_pid() else { return limit };
    let memory = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, memory);
    let taken = system.process(own).map_or(0, |process| process.virtual_memory());
    // The allocator reserves addresses for every thread beside what is asked of it.
    limit.saturating_sub(taken).saturating_sub(RESERVED * rayon::current_num_threads() as u64)
}

/// Bytes of addresses that the allocator of the C library reserves for a thread at once.
#[cfg(unix)]
const RESERVED: u64 = 64 << 20;

#[cfg(not(unix))]
fn unreserved(_: &mut System) -> u64 {
    u64::MAX
}

/// Bytes that can still be written where `path` is or will be; `None` where nobody knows.
#[cfg(unix)]
pub(crate) fn room_on_disk(path: &Path) -> Option<u64> {
    // A folder that is still to be made is where the nearest folder above it is.
    let whole = std::path::absolute(path).ok()?;
    let there = whole.ancestors().find(|folder| folder.is_dir())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
pub(crate) fn room_on_disk(_: &Path) -> Option<u64> {
    None
}
