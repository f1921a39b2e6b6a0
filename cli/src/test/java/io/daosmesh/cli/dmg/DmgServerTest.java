package io.daosmesh.cli.dmg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.LogMasksRequest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DmgServerTest extends FakeDmg {
    private List<LogMasksRequest> sent(String... words) {
        List<LogMasksRequest> sent = new ArrayList<>();
        answers.put(RpcMethod.LOG_MASKS, m -> {
            sent.add((LogMasksRequest) m);
            return Empty.getDefaultInstance();
        });
        assertEquals(0, dmg(words), text(err));
        return sent;
    }

    @Test
    void shouldSendMasksStreamsAndSubsystemsToTheChosenHosts() {
        List<LogMasksRequest> sent = sent(
                "server", "set-logmasks", "-m", "ERR,mgmt=DEBUG", "-d", "md,io", "-s", "vos", "-l", "127.0.0.1:10002");

        assertEquals(1, sent.size());
        assertEquals("ERR,mgmt=DEBUG", sent.get(0).getMasks());
        assertEquals("md,io", sent.get(0).getStreams());
        assertEquals("vos", sent.get(0).getSubsystems());
        assertTrue(text(out).contains("set-logmasks operation performed successfully"), text(out));
    }

    @Test
    void shouldResetWithoutMasksAndTakeThemOnceOnly() {
        assertTrue(sent("server", "set-logmasks").get(0).getReset());

        assertEquals(1, dmg("server", "set-logmasks", "ERR", "-m", "DEBUG"));
        assertTrue(text(err).contains("masks are given twice"), text(err));
    }
}
