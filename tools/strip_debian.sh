#!/bin/sh
# Take what installs, configures or raises privileges out of a Debian file system, in the last stage of an image:
#   apt, dpkg and debconf; perl; su, mount, passwd and everything else that is setuid or setgid; PAM; ext2 tools.
# Then take out what no command of edge-bench uses: libraries of these programs, translations, manuals, character sets
# (Python has its own), Python's tests and help, and its modules nis and dbm with their libraries. sqlite3 stays: the index of Runs
# needs it.
# What is left are Python, its libraries, a shell and coreutils. Files are removed by their packages' own lists, without
# maintainer scripts, which are written in perl. /var/lib/dpkg/status keeps only what is left, for scanners of images.
set -eu
packages="adduser apt base-passwd debconf debian-archive-keyring e2fsprogs gpgv init-system-helpers libapt-pkg6.0
libpam-modules libpam-modules-bin libpam-runtime libpam0g login logsave mount passwd perl-base sysvinit-utils
usr-is-merged util-linux-extra libext2fs2 libss2 dpkg
bsdutils libcom-err2 libdb5.3 libgcrypt20 libgnutls30 libgpg-error0 libgssapi-krb5-2 libhogweed6 libidn2-0 libk5crypto3
libkeyutils1 libkrb5-3 libkrb5support0 liblz4-1 libnettle8 libnsl2 libp11-kit0 libseccomp2 libsemanage-common libsemanage2
libsepol2 libsystemd0 libtasn1-6 libtirpc-common libtirpc3 libunistring2 libxxhash0 libzstd1"
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
rm -rf /usr/bin/su /bin/su /usr/sbin/runuser /usr/bin/lslogins /etc/apt /etc/dpkg /etc/pam.d /etc/security /etc/shadow- /etc/gshadow- /etc/passwd- /etc/group- \
  /usr/lib/apt /usr/lib/dpkg /usr/share/perl* /usr/share/debconf /var/lib/dpkg/status-old /var/lib/dpkg/available* \
  /var/lib/dpkg/alternatives /var/lib/dpkg/triggers /var/lib/dpkg/updates /var/lib/dpkg/lock* /var/lib/dpkg/parts \
  /var/cache/debconf /var/lib/pam
python=/usr/lib/python3.11
rm -rf /usr/lib/*-linux-gnu/gconv /usr/share/locale /usr/share/info /usr/share/man /usr/share/lintian \
  /usr/share/bash-completion /usr/share/zoneinfo/right /usr/share/zoneinfo/posix $python/test $python/pydoc_data \
  $python/dbm $python/lib-dynload/_dbm.* $python/lib-dynload/nis.*
# licences stay
find /usr/share/doc -type f ! -name copyright -delete
for perl in /usr/lib/*-linux-gnu/perl-base /usr/lib/*-linux-gnu/perl; do rm -rf "$perl"; done
find / -xdev -perm /6000 -exec chmod ug-s {} +
