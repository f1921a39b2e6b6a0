package io.daosmesh.client.dfs;

import io.daosmesh.client.ArrayObject;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import reactor.core.publisher.Flux;

/** A file on its way out, compared with the digest of what was written. */
final class FileRead {
    private FileRead() {}

    static Flux<ByteBuffer> verified(ArrayObject array, DfsEntry file) {
        if (file.sha256().length == 0) return array.stream(0, file.size());
        return Flux.defer(() -> {
            MessageDigest digest = FileWrite.sha256();
            return array.stream(0, file.size())
                    .doOnNext(piece -> digest.update(piece.duplicate()))
                    .concatWith(Flux.defer(() -> MessageDigest.isEqual(digest.digest(), file.sha256())
                            ? Flux.empty()
                            : Flux.error(Fault.of(
                                            FaultCode.CSUM,
                                            "the content of object %s is not what was written",
                                            file.object())
                                    .asException())));
        });
    }
}
