//! Linux's control groups, by which systemd, Slurm and containers limit memory. In: the folders that `/proc` and
//! `/sys/fs/cgroup` are. Out: what the limits of the process's group and of those above it leave.
//! Source: docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/memory.html.

use std::fs::read_to_string;
use std::path::{Component, Path, PathBuf};

/// The files of a version of control groups.
struct Version {
    limit: &'static str,
    usage: &'static str,
    /// Keys of `memory.stat`: caches of files, which the system gives up where memory is short.
    caches: [&'static str; 2],
}

const V1: Version = Version {
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    caches: ["total_inactive_file", "total_active_file"],
};
const V2: Version = Version { limit: "memory.max", usage: "memory.current", caches: ["inactive_file", "active_file"] };

/// The bytes that the strictest limit leaves; none without a limit.
pub(super) fn free_memory(proc: &Path, groups: &Path) -> Option<u64> {
    let own = read_to_string(proc.join("self/cgroup")).ok()?;
    own.lines().filter_map(|line| of_hierarchy(line, groups)).min()
}

/// The same of a line of `/proc/self/cgroup`: a number, controllers, and the group's path.
fn of_hierarchy(line: &str, groups: &Path) -> Option<u64> {
    let (_, line) = line.split_once(':')?;
    let (controllers, path) = line.split_once(':')?;
    let (version, roots) = match controllers {
        // Alone, or beside the first version.
        "" => (V2, [groups.to_path_buf(), groups.join("unified")]),
        _ if controllers.split(',').any(|name| name == "memory") => {
            (V1, [groups.join("memory"), groups.join(controllers)])
        }
        _ => return None,
    };
    let path = inside(path);
    // A container may see its own group at the root, and not the folders of the path.
    let of_root = |root: PathBuf| path.ancestors().filter_map(|group| version.left(&root.join(group))).min();
    roots.into_iter().filter_map(of_root).min()
}

/// The path below the root; a group that lies outside of what the process sees is taken for the root.
fn inside(path: &str) -> PathBuf {
    let parts = Path::new(path).components().filter(|part| *part != Component::RootDir);
    let parts: Option<PathBuf> = parts.map(|part| matches!(part, Component::Normal(_)).then_some(part)).collect();
    parts.unwrap_or_default()
}

impl Version {
    /// What a group's limit leaves; none without one.
    fn left(&self, group: &Path) -> Option<u64> {
        let text = |file: &str| read_to_string(group.join(file)).ok();
        let number = |file: &str| text(file)?.trim().parse::<u64>().ok(); // `max` is none
        let limit = number(self.limit)?;
        let used = number(self.usage)?;
        let stat = text("memory.stat").unwrap_or_default();
        let cached = stat.lines().filter_map(|line| line.split_once(' '));
        let cached = cached.filter(|(key, _)| self.caches.contains(key)).filter_map(|(_, value)| value.parse().ok());
        let cached = cached.fold(0, u64::saturating_add);
        Some(limit.saturating_sub(used.saturating_sub(cached)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir_all, write};

    use tempfile::TempDir;

    use super::*;

    /// A process with these groups, and files in folders of control groups.
    fn free(own: &str, files: &[(&str, &str)]) -> Option<u64> {
        let folder = TempDir::new().unwrap();
        let (proc, groups) = (folder.path().join("proc"), folder.path().join("groups"));
        create_dir_all(proc.join("self")).unwrap();
        write(proc.join("self/cgroup"), own).unwrap();
        for (file, text) in files {
            let file = groups.join(file);
            create_dir_all(file.parent().unwrap()).unwrap();
            write(file, text).unwrap();
        }
        free_memory(&proc, &groups)
    }

    #[test]
    fn the_strictest_limit_of_a_group_and_those_above_it_counts() {
        let own = "0::/user.slice/run.scope\n";
        let (max, current) = ("user.slice/run.scope/memory.max", "user.slice/run.scope/memory.current");
        assert_eq!(free(own, &[(max, "1000\n"), (current, "300\n")]), Some(700));
        assert_eq!(free(own, &[(max, "max\n"), (current, "300\n")]), None);
        let parent = [("user.slice/memory.max", "900\n"), ("user.slice/memory.current", "400\n")];
        assert_eq!(free(own, &[(max, "max\n"), (current, "300\n"), parent[0], parent[1]]), Some(500));
        assert_eq!(free(own, &[(max, "600\n"), (current, "200\n"), parent[0], parent[1]]), Some(400));
        // More in use than the limit, after it was lowered.
        assert_eq!(free(own, &[(max, "100\n"), (current, "300\n")]), Some(0));
    }

    #[test]
    fn caches_of_files_are_free() {
        let stat = "anon 100\nfile 500\ninactive_file 150\nactive_file 50\nslab 7\n";
        let files = [("memory.max", "1000"), ("memory.current", "300"), ("memory.stat", stat)];
        assert_eq!(free("0::/\n", &files), Some(900));
    }

    #[test]
    fn the_first_version_has_other_names() {
        let own = "12:cpu,cpuacct:/docker/ab\n4:memory:/docker/ab\n0::/\n";
        let stat = "inactive_file 1\ntotal_inactive_file 100\ntotal_active_file 20\n";
        let at = |folder: &'static str| {
            ["limit_in_bytes", "usage_in_bytes", "stat"].map(|file| format!("{folder}/memory.{file}"))
        };
        let whole = at("memory/docker/ab");
        let files = [(&*whole[0], "1000\n"), (&*whole[1], "500\n"), (&*whole[2], stat)];
        assert_eq!(free(own, &files), Some(620));
        // In a container its own group is the root.
        let root = at("memory");
        assert_eq!(free(own, &[(&*root[0], "2000\n"), (&*root[1], "500\n")]), Some(1500));
        // No limit is a large number.
        let none = free(own, &[(&*root[0], "9223372036854771712\n"), (&*root[1], "500\n")]);
        assert_eq!(none, Some(9_223_372_036_854_771_212));
    }

    #[test]
    fn the_second_version_may_stand_beside_the_first() {
        let files = [("unified/a/memory.max", "50"), ("unified/a/memory.current", "10")];
        assert_eq!(free("4:memory:/\n0::/a\n", &files), Some(40));
    }

    #[test]
    fn what_cannot_be_known_is_no_limit() {
        let files = [("memory.max", "1000"), ("memory.current", "300")];
        assert_eq!(free("0::/../../other\n", &files), Some(700)); // outside, so the root
        assert_eq!(free("nonsense\n:\n0:cpu\n\n", &files), None);
        assert_eq!(free("0::/\n", &[("memory.max", "1000")]), None);
        assert_eq!(free("0::/\n", &[("memory.max", "many"), ("memory.current", "1")]), None);
        let nowhere = Path::new("/nowhere/at/all");
        assert_eq!(free_memory(nowhere, nowhere), None);
    }
}
