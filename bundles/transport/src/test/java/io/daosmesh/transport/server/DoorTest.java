package io.daosmesh.transport.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Role;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who is shown out for whom. */
class DoorTest {
    private static final Door.Limits FEW = new Door.Limits(6, 3, 2, 5, 3, 2);

    private final List<String> out = new ArrayList<>();
    private long nowNs = 1;
    private final Door door = new Door(FEW, () -> nowNs);

    private Door.Visitor visitor(String name, String address) {
        return new Door.Visitor() {
            @Override
            public InetAddress address() {
                try {
                    return InetAddress.getByName(address);
                } catch (UnknownHostException e) {
                    throw new IllegalArgumentException(e);
                }
            }

            @Override
            public void showOut() {
                out.add(name);
            }
        };
    }

    private Door.Visitor enter(String name, String address) {
        Door.Visitor v = visitor(name, address);
        door.enter(v);
        return v;
    }

    @Test
    void shouldShowOutWhoHasBeenSilentLongestOfTheSameAddress() {
        Door.Visitor first = enter("first", "10.0.0.1");
        enter("other", "10.0.0.2");
        enter("second", "10.0.0.1");
        enter("third", "10.0.0.1");
        door.speaks(first);

        enter("fourth", "10.0.0.1");

        assertEquals(List.of("second"), out);
        assertEquals(4, door.waiting());
    }

    @Test
    void shouldBoundThoseWhoWaitInAll() {
        for (int i = 0; i < 100; i++) enter("v" + i, "10.0." + i + ".1");

        assertEquals(6, door.waiting());
        assertEquals(94, out.size());
        assertEquals("v0", out.get(0));
    }

    @Test
    void shouldTakeWholeNetworkOfHostForOneAddress() {
        for (int i = 0; i < 10; i++) enter("v" + i, "2001:db8::" + i);

        assertEquals(3, door.waiting());
    }

    @Test
    void shouldKeepPlacesForServers() {
        List<Door.Visitor> clients = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Door.Visitor v = enter("c" + i, "10.0.0." + i);
            clients.add(v);
            door.admit(v, Role.AGENT);
        }
        Door.Visitor fourth = enter("c3", "10.0.0.9");

        FaultException full = assertThrows(FaultException.class, () -> door.admit(fourth, Role.ADMIN));
        door.admit(enter("s1", "10.0.0.1"), Role.SERVER);
        door.admit(enter("s2", "10.0.0.1"), Role.SERVER);

        assertEquals(FaultCode.BUSY, full.code());
        assertEquals(5, door.inside());
        assertEquals(0, door.waiting());
        clients.forEach(v -> door.leave(v, Role.AGENT));
        assertEquals(2, door.inside());
    }

    @Test
    void shouldBoundClientsOfOneAddress() {
        Door wide = new Door(new Door.Limits(6, 3, 2, 100, 3, 2), () -> nowNs);
        for (int i = 0; i < 3; i++) {
            Door.Visitor v = visitor("c" + i, "10.0.0.1");
            wide.enter(v);
            wide.admit(v, Role.AGENT);
        }
        Door.Visitor more = visitor("more", "10.0.0.1");
        wide.enter(more);

        assertThrows(FaultException.class, () -> wide.admit(more, Role.AGENT));
        wide.admit(visitor("neighbour", "10.0.0.2"), Role.AGENT);
        assertEquals(4, wide.inside());
    }

    @Test
    void shouldSpreadHandshakesOfAddressOverTime() {
        Door.Visitor v = enter("v", "10.0.0.1");

        for (int i = 0; i < 4; i++) assertTrue(door.mayShakeHands(v));
        assertFalse(door.mayShakeHands(v));
        assertTrue(door.mayShakeHands(visitor("other", "10.0.0.2")));
        nowNs += 500_000_000L;

        assertTrue(door.mayShakeHands(v));
        assertFalse(door.mayShakeHands(v));
    }

    @Test
    void shouldForgetAddressesThatHaveGone() {
        for (int i = 0; i < 20_000; i++) {
            Door.Visitor v = enter("v", "10." + i / 65536 + "." + i / 256 % 256 + "." + i % 256);
            door.leave(v, null);
        }

        assertEquals(0, door.waiting());
        assertEquals(List.of(), out);
    }

    @Test
    void shouldLetNobodyApproachWhileCrowdOfTheSameAddressIsOnItsWay() throws UnknownHostException {
        InetAddress crowded = InetAddress.getByName("10.0.0.1");
        for (int i = 0; i < 6; i++) assertTrue(door.mayApproach(crowded));

        assertFalse(door.mayApproach(crowded));
        assertTrue(door.mayApproach(InetAddress.getByName("10.0.0.2")));
        Door.Visitor known = enter("known", "10.0.0.1");
        door.admit(known, Role.AGENT);
        assertTrue(door.mayApproach(crowded), "whoever is known is no crowd");
        assertFalse(door.mayApproach(crowded));
        door.gone(crowded);
        door.leave(known, Role.AGENT);
        assertFalse(door.mayApproach(crowded));
        door.gone(crowded);
        assertTrue(door.mayApproach(crowded));
    }

    @Test
    void shouldLetNobodyApproachWhileAllTogetherAreTooMany() throws UnknownHostException {
        for (int i = 0; i < 12; i++) assertTrue(door.mayApproach(InetAddress.getByName("10.0.1." + i)));

        assertFalse(door.mayApproach(InetAddress.getByName("10.0.0.2")));
    }
}
