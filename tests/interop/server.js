'use strict';
// node server.js: an official server with the echo service. Prints its port, then what happens to its calls; ends with its standard input.
const { grpc, addernet } = require('./load');

const say = line => process.stdout.write(line + '\n');
const server = new grpc.Server({ 'grpc.max_receive_message_length': 4 * 1024 * 1024, 'grpc.max_send_message_length': -1 });

server.addService(addernet.test.Echo.service, {
  Say(call, done) {
    const early = new grpc.Metadata();
    early.set('early', 'header');
    call.sendMetadata(early);
    const late = new grpc.Metadata();
    for (const [key, value] of Object.entries(call.metadata.getMap()))
      if (key.startsWith('asked') || key === 'traceparent') late.set(key.endsWith('-bin') ? 'late-bin' : `late-${key}`, value);
    done(null, call.request, late);
  },
  Count(call) {
    for (let i = 0; i < call.request.value[0]; i++) call.write({ value: Buffer.from([i]) });
    if (call.request.value.length > 1) call.emit('error', { code: grpc.status.DATA_LOSS, details: 'the rest is lost' });
    else call.end();
  },
  Join(call, done) {
    const parts = [];
    call.on('data', m => parts.push(m.value));
    call.on('end', () => done(null, { value: Buffer.concat(parts) }));
  },
  Chat(call) {
    call.on('cancelled', () => say('cancelled'));
    call.on('data', m => call.write(m));
    call.on('end', () => call.end());
  },
  Hang(call) {
    say('hanging');
    call.on('cancelled', () => say('cancelled'));
  },
  Fail(call, done) {
    const metadata = new grpc.Metadata();
    metadata.set('cause', 'test');
    metadata.set('cause-bin', Buffer.from([0, 255, 7]));
    metadata.set('grpc-status-details-bin', Buffer.from([8, 9, 18, 0]));
    done({ code: grpc.status.FAILED_PRECONDITION, details: 'lo que falta: 100 % del año\n', metadata });
  },
});

server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  say(String(port));
});
process.stdin.on('end', () => server.forceShutdown());
process.stdin.resume();
