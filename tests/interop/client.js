'use strict';
// node client.js HOST:PORT SCENARIO...: plays scenarios against a server with the official client and prints what came of each as one line of JSON.
const { grpc, addernet, pattern } = require('./load');

const [target, ...names] = process.argv.slice(2);
const insecure = grpc.credentials.createInsecure();
const connect = options => new addernet.test.Echo(target, insecure, options);
const echo = connect({ 'grpc.max_send_message_length': -1, 'grpc.max_receive_message_length': -1 });

const ended = error => error
  ? { code: error.code, details: error.details, cause: error.metadata.get('cause')[0], cause_bin: error.metadata.get('cause-bin')[0]?.toString('hex') }
  : { code: 0 };

function unary(client, method, value, metadata = new grpc.Metadata(), options = {}) {
  return new Promise(resolve => {
    let headers;
    let trailers;
    let result;
    const call = client[method]({ value }, metadata, options, (error, response) => {
      result = { ...ended(error), value: response?.value };
    });
    call.on('metadata', m => { headers = m; });
    call.on('status', s => { trailers = s.metadata; setImmediate(() => resolve({ ...result, headers, trailers, call })); });
    options.started?.(call);
  });
}

const collect = stream => new Promise(resolve => {
  const values = [];
  stream.on('data', m => values.push(m));
  stream.on('error', error => resolve({ ...ended(error), values }));
  stream.on('end', () => resolve({ code: 0, values }));
});

const scenarios = {
  async unary() {
    const metadata = new grpc.Metadata();
    metadata.set('asked', 'by node');
    metadata.set('asked-bin', Buffer.from([0, 128, 255, 10]));
    const r = await unary(echo, 'Say', Buffer.from('abc'), metadata);
    return { code: r.code, value: r.value.toString(), early: r.headers.get('early')[0], late: r.trailers.get('late')[0], late_bin: r.trailers.get('late-bin')[0].toString('hex') };
  },
  async server_stream() {
    const r = await collect(echo.Count({ value: Buffer.from([250]) }));
    return { code: r.code, values: r.values.map(m => m.value[0]) };
  },
  async server_stream_failing() {
    const r = await collect(echo.Count({ value: Buffer.from([3, 1]) }));
    return { code: r.code, details: r.details, values: r.values.map(m => m.value[0]) };
  },
  client_stream: () => new Promise(resolve => {
    const call = echo.Join((error, response) => resolve({ ...ended(error), value: response?.value.toString('hex') }));
    for (let i = 0; i < 100; i++) call.write({ value: Buffer.from([i]) });
    call.end();
  }),
  duplex: () => new Promise(resolve => {
    const call = echo.Chat();
    const heard = [];
    call.on('error', error => resolve(ended(error)));
    call.on('data', m => {
      heard.push(m.value[0]);
      if (heard.length < 50) call.write({ value: Buffer.from([heard.length]) });
      else call.end();
    });
    call.on('end', () => resolve({ code: 0, heard }));
    call.write({ value: Buffer.from([0]) });
  }),
  async deadline() {
    const r = await unary(echo, 'Hang', Buffer.alloc(1), undefined, { deadline: new Date(Date.now() + 300) });
    return { code: r.code };
  },
  async cancel() {
    const r = await unary(echo, 'Hang', Buffer.alloc(1), undefined, {
      started: call => process.stdin.once('data', () => { process.stdin.pause(); call.cancel(); }),
    });
    return { code: r.code };
  },
  async error() {
    const { code, details, cause, cause_bin } = await unary(echo, 'Fail', Buffer.alloc(1));
    return { code, details, cause, cause_bin };
  },
  async error_details() {
    const r = await unary(echo, 'Fail', Buffer.alloc(1));
    return { code: r.code, details_bin: r.trailers.get('grpc-status-details-bin')[0]?.toString('hex') };
  },
  too_large_response: () => new Promise(resolve => {
    const call = connect({}).Join((error, response) => resolve({ code: error?.code ?? 0, bytes: response?.value.length ?? 0 }));
    for (let i = 0; i < 2; i++) call.write({ value: pattern(3000000) });
    call.end();
  }),
  async missing() {
    const { code, details } = await unary(echo, 'Missing', Buffer.alloc(1));
    return { code, details };
  },
  async large() {
    const sent = pattern(3900000);
    const r = await unary(echo, 'Say', sent);
    return { code: r.code, same: sent.equals(r.value) };
  },
  async too_large() {
    const { code, details } = await unary(echo, 'Say', pattern(5 * 1024 * 1024));
    return { code, details };
  },
  async compressed() {
    const { code, details } = await unary(connect({ 'grpc.default_compression_algorithm': 2 }), 'Say', pattern(100000));
    return { code, details };
  },
  contract: () => new Promise(resolve => {
    const client = new addernet.v1.Coordination(target, insecure);
    const call = client.Session();
    const heard = [];
    call.on('data', m => { heard.push(m); call.end(); });
    call.on('error', error => resolve(ended(error)));
    call.on('end', () => resolve({ code: 0, heard }));
    call.write({ run_id: 'r', step: 7, hello: { build: 'node', numerics_version: 3, worker_id: 'w' } });
  }),
};

(async () => {
  for (const name of names) process.stdout.write(JSON.stringify(await scenarios[name]()) + '\n');
  process.stdout.write('', () => process.exit(0));
})();
