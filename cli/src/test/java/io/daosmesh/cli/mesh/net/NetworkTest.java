package io.daosmesh.cli.mesh.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.daosmesh.model.fault.FaultException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class NetworkTest {
    @Test
    void shouldKeepItsAddressesApartFromThoseOfAllOthers() {
        assertEquals("198.18.4.1", new Network(1).host(1));
        assertEquals("198.18.6.0", new Network(1).host(512));
        assertEquals("198.18.7.254", new Network(1).host(Network.TOOLS));
        assertEquals("198.18.8.1", new Network(2).host(1));
        assertEquals("198.19.251.254", new Network(Network.NUMBER_MAX).host(Network.TOOLS));
    }

    @Test
    void shouldRefuseANumberWithoutAddresses() {
        assertThrows(IllegalArgumentException.class, () -> new Network(0));
        assertThrows(IllegalArgumentException.class, () -> new Network(Network.NUMBER_MAX + 1));
    }

    @Test
    void shouldRunAProgramWhereItsNodeLives() {
        List<String> line = new Network(3).inside(2);

        assertTrue(line.contains("--net=/run/netns/dmesh3-2"), line.toString());
    }

    @Test
    void shouldHaveNoSocketsBeforeItIsThere() {
        assertEquals("", new Network(Network.NUMBER_MAX).sockets(512));
    }

    /** A mesh that is down has no network, and another one may have taken its number: that one keeps it. */
    @Test
    void shouldNotTouchTheNetworkOfAnotherMesh() {
        assumeTrue(Network.missing().isEmpty(), "network namespaces cannot be made here");
        Network network = Network.free();
        Path hub = Path.of("/run/netns/dmesh" + network.number());
        network.raise(1, "own");
        try {
            network.lower(1, "other");

            assertTrue(Files.exists(hub));
            assertThrows(FaultException.class, () -> network.raise(1, "other"));
        } finally {
            network.lower(1, "own");
        }
        assertFalse(Files.exists(hub));
    }
}
