package io.daosmesh.telemetry.http;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;

/** Whom the limits per address count together. Stateless. */
public final class Origin {
    /** One host of IPv6 is given a whole network of this many bytes. */
    private static final int NETWORK_BYTES = 8;

    private Origin() {}

    /** The address; of IPv6 its network. */
    public static String of(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (!(address instanceof Inet6Address)) return address.getHostAddress();
        return Arrays.toString(Arrays.copyOf(bytes, NETWORK_BYTES));
    }
}
