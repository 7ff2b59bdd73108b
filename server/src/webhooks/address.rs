//! Which addresses a webhook may be sent to: those of the public internet, and no others.
//!
//! A caller chooses the receiver, so every address behind its name is an attempt to reach what only this
//! machine reaches until it is shown to be public. It knows no names and opens no connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `address` belongs to the public internet.
///
/// IPv4 is judged by the blocks of [`SPECIAL_V4`]. IPv6 must be global unicast (`2000::/3`) outside
/// [`SPECIAL_V6`]: that leaves out every form that carries an IPv4 address inside (mapped, compatible, NAT64,
/// 6to4, Teredo), because the carried address is where the packet ends up.
///
/// Source: the IANA special-purpose address registries, as of RFC 6890 and its updates.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4
            .iter()
            .any(|(network, bits)| within_v4(address, *network, *bits)),
        IpAddr::V6(address) => {
            within_v6(address, GLOBAL_UNICAST, 3)
                && !is_isatap(address)
                && !SPECIAL_V6
                    .iter()
                    .any(|(network, bits)| within_v6(address, *network, *bits))
        }
    }
}

fn within_v4(address: Ipv4Addr, network: Ipv4Addr, bits: u32) -> bool {
    (address.to_bits() ^ network.to_bits())
        .checked_shr(32 - bits)
        .is_none_or(|differing| differing == 0)
}

fn within_v6(address: Ipv6Addr, network: Ipv6Addr, bits: u32) -> bool {
    (address.to_bits() ^ network.to_bits())
        .checked_shr(128 - bits)
        .is_none_or(|differing| differing == 0)
}

/// Whether the lower half names an IPv4 address the way of RFC 5214, which any prefix may do.
fn is_isatap(address: Ipv6Addr) -> bool {
    let [_, _, _, _, upper, lower, _, _] = address.segments();
    matches!(upper, 0x0000 | 0x0200) && lower == 0x5efe
}

/// Blocks of IPv4 that lead somewhere else than to a public host, with their prefix lengths.
const SPECIAL_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Carrier-grade NAT (RFC 6598).
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // The platform service of one cloud, which trusts whoever asks from a machine of it.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // Link-local, the metadata services of clouds among it.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // Protocol assignments, with a metadata service among them.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // Relays of 6to4.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, and everything above it: reserved, and the broadcast address.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// What is assigned for unicast at all.
const GLOBAL_UNICAST: Ipv6Addr = Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0);

/// Blocks within global unicast that lead somewhere else, with their prefix lengths.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    // Protocol assignments: Teredo, benchmarking, ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

#[cfg(test)]
mod tests {
    use super::is_public;

    #[track_caller]
    fn check(public: bool, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    #[test]
    fn public_hosts_are_public() {
        check(
            true,
            &["1.1.1.1", "8.8.8.8", "93.184.215.14", "223.255.255.255"],
        );
        check(
            true,
            &[
                "100.63.255.255",
                "100.128.0.0",
                "172.15.255.255",
                "172.32.0.0",
            ],
        );
        check(
            true,
            &["9.255.255.255", "11.0.0.0", "128.0.0.0", "169.253.255.255"],
        );
        check(
            true,
            &[
                "192.167.255.255",
                "192.169.0.0",
                "198.17.255.255",
                "198.20.0.0",
            ],
        );
        check(true, &["2606:4700:4700::1111", "2a00:1450:4001:80e::200e"]);
        check(
            true,
            &["2001:200::1", "2003::1", "3ffe:ffff::1", "3fff:1000::1"],
        );
    }

    #[test]
    fn what_only_this_machine_or_its_network_reaches_is_not() {
        check(
            false,
            &["127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3"],
        );
        check(
            false,
            &["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255"],
        );
        check(
            false,
            &[
                "192.168.0.1",
                "192.168.255.255",
                "169.254.169.254",
                "169.254.0.0",
            ],
        );
        check(
            false,
            &[
                "100.64.0.1",
                "100.127.255.255",
                "168.63.129.16",
                "192.0.0.192",
            ],
        );
        check(
            false,
            &[
                "::1",
                "::",
                "fe80::1",
                "fec0::1",
                "fc00::1",
                "fd00:ec2::254",
            ],
        );
    }

    #[test]
    fn what_is_nobody_s_or_everybody_s_is_not() {
        check(
            false,
            &[
                "192.0.2.1",
                "198.51.100.7",
                "203.0.113.9",
                "198.18.0.1",
                "198.19.255.255",
            ],
        );
        check(
            false,
            &[
                "224.0.0.1",
                "239.255.255.255",
                "240.0.0.1",
                "255.255.255.255",
            ],
        );
        check(
            false,
            &[
                "192.88.99.1",
                "ff02::1",
                "ff0e::1",
                "2001:db8::1",
                "3fff:fff::1",
            ],
        );
        check(false, &["4000::1", "5f00::1", "100::1", "1fff::1"]);
    }

    #[test]
    fn an_address_inside_an_address_is_not() {
        check(
            false,
            &["::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1"],
        );
        check(
            false,
            &[
                "::127.0.0.1",
                "::8.8.8.8",
                "64:ff9b::7f00:1",
                "64:ff9b::808:808",
            ],
        );
        check(
            false,
            &["64:ff9b:1::a00:1", "2002:7f00:1::", "2002:808:808::1"],
        );
        check(false, &["2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"]);
        check(
            false,
            &["2606:4700::5efe:7f00:1", "2606:4700::200:5efe:10.0.0.1"],
        );
    }
}
