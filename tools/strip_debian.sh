#!/bin/sh
# Take what installs, configures or raises privileges out of a Debian file system, in the last stage of an image:
#   apt, dpkg and debconf; perl; su, mount, passwd and everything else that is setuid or setgid; PAM; ext2 tools.
# What is left are Python, its libraries, a shell and coreutils. Files are removed by their packages' own lists, without
# maintainer scripts, which are written in perl. /var/lib/dpkg/status keeps only what is left, for scanners of images.
set -eu
packages="adduser apt base-passwd debconf debian-archive-keyring e2fsprogs gpgv init-system-helpers libapt-pkg6.0
libpam-modules libpam-modules-bin libpam-runtime libpam0g login logsave mount passwd perl-base sysvinit-utils
usr-is-merged util-linux-extra libext2fs2 libss2 dpkg"
info=/var/lib/dpkg/info
for package in $packages; do
  for list in $info/$package.list $info/$package:*.list; do
    [ -f "$list" ] || continue
    while read -r path; do
      if [ -L "$path" ] || [ -f "$path" ]; then
        case $path in $info/*|/bin|/sbin|/lib|/lib32|/lib64|/libx32) ;; *) rm -f "$path" ;; esac
      fi
    done < "$list"
    for file in "${list%list}"*; do rm -f "$file"; done
    awk -v package="$package" 'BEGIN { RS = ""; ORS = "\n\n" } $0 !~ "^Package: " package "\n"' \
      /var/lib/dpkg/status > /var/lib/dpkg/status-left
    mv /var/lib/dpkg/status-left /var/lib/dpkg/status
  done
done
rm -rf /usr/bin/su /bin/su /etc/apt /etc/dpkg /etc/pam.d /etc/security /etc/shadow- /etc/gshadow- /etc/passwd- /etc/group- \
  /usr/lib/apt /usr/lib/dpkg /usr/share/perl* /usr/share/debconf /var/lib/dpkg/status-old /var/lib/dpkg/available* \
  /var/lib/dpkg/alternatives /var/lib/dpkg/triggers /var/lib/dpkg/updates /var/lib/dpkg/lock* /var/lib/dpkg/parts \
  /var/cache/debconf /var/lib/pam
for perl in /usr/lib/*-linux-gnu/perl-base /usr/lib/*-linux-gnu/perl; do rm -rf "$perl"; done
find / -xdev -perm /6000 -exec chmod ug-s {} +
