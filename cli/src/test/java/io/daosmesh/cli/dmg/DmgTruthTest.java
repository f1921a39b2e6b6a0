package io.daosmesh.cli.dmg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.cli.CommandLines;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.RasEventMessage;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Flux;

/** A status of 0 says that all was done and told. */
@Timeout(60)
class DmgTruthTest extends FakeDmg {
    /** A full disk, or a reader that has gone. */
    private static PrintStream broken() {
        return new PrintStream(
                new OutputStream() {
                    @Override
                    public void write(int b) throws IOException {
                        throw new IOException("No space left on device");
                    }
                },
                true);
    }

    @Test
    void shouldFailWhenItsAnswerCannotBeWritten() {
        answers.put(RpcMethod.SYSTEM_QUERY, r -> members());

        for (String[] words : new String[][] {{"system", "query"}, {"-j", "system", "query"}, {"version"}}) {
            PrintStream to = broken();
            int status = dmg(to, words);
            assertEquals(1, CommandLines.flushed(to, stream(err), "dmg", status), words[0]);
        }
        assertEquals(0, CommandLines.flushed(stream(out), stream(err), "dmg", dmg("system", "query")));
        assertTrue(text(err).contains("ERROR: dmg: the output could not be written"), text(err));
    }

    @Test
    void shouldEndWithItsReader() {
        streams.put(
                RpcMethod.RAS_STREAM,
                r -> Flux.interval(Duration.ofMillis(1))
                        .map(i -> RasEventMessage.newBuilder()
                                .setId("swim_rank_dead")
                                .setSequence(i + 1)
                                .build()));

        assertEquals(1, dmg(broken(), "system", "events", "--follow"));
    }

    @Test
    void shouldNameHostsWhoseEventsAreMissing() {
        streams.put(
                RpcMethod.RAS_STREAM,
                r -> Flux.error(Fault.of(FaultCode.UNREACH, "nobody there").asException()));

        assertEquals(1, dmg("-j", "system", "events"));

        assertTrue(text(out).contains("\"host_errors\""), text(out));
        assertTrue(text(out).contains("127.0.0.1:1000"), text(out));
    }

    /** It may be the one that has the device. */
    @Test
    void shouldNameHostsThatWereNotHeardOfADevice() {
        assertEquals(1, dmg("storage", "query", "target-health", "--rank=0", "--tgtid=0"));

        assertTrue(text(err).contains("127.0.0.1:1000[1-3]"), text(err));
        assertFalse(text(err).contains("no host has"), text(err));
    }

    /** Nor is it known which host a device is in that is to be changed. */
    @Test
    void shouldNotSayThatADeviceIsNowhereBeforeAllHostsHaveAnswered() {
        String uuid = "00000000-0000-0000-0000-000000000007";
        for (String line : List.of(
                "storage set nvme-faulty --force --uuid " + uuid,
                "storage replace nvme --old-uuid " + uuid + " --new-uuid " + uuid,
                "storage led identify " + uuid,
                "storage led check " + uuid,
                "storage identify vmd --uuid " + uuid)) {
            err.reset();

            assertEquals(1, dmg(line.split(" ")), line);

            assertTrue(text(err).contains("DER_UNREACH"), line + ": " + text(err));
            assertTrue(text(err).contains("127.0.0.1:1000[1-3]"), line + ": " + text(err));
            assertFalse(text(err).contains("DER_NONEXIST"), line + ": " + text(err));
        }
    }
}
