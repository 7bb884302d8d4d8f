// Calls the simulated cloud as any program would that uses the SDK with its ordinary settings, and prints what it got.
import { Readable } from "node:stream";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromContainerMetadata, fromEnv, fromInstanceMetadata } from "@aws-sdk/credential-providers";

const { bucket, role } = JSON.parse(process.argv[2]);
const s3 = (credentials) => new S3Client({ credentials, forcePathStyle: true });
const outcomes = {};

async function attempt(name, call) {
  try {
    outcomes[name] = { value: await call() };
  } catch (error) {
    outcomes[name] = { error: error.name, status: error.$metadata?.httpStatusCode, message: error.message };
  }
}

const names = async (credentials) => (await s3(credentials).send(new ListBucketsCommand({}))).Buckets.map((each) => each.Name);
const whoever = async (credentials) => (await new STSClient({ credentials }).send(new GetCallerIdentityCommand({}))).Arn;

await attempt("identity", () => whoever(fromEnv()));
await attempt("buckets", () => names(fromEnv()));
await attempt("instances", async () => {
  const found = await new EC2Client({ credentials: fromEnv() }).send(new DescribeInstancesCommand({}));
  return found.Reservations.flatMap((each) => each.Instances).length;
});
await attempt("tables", async () => (await new DynamoDBClient({ credentials: fromEnv() }).send(new ListTablesCommand({}))).TableNames);
await attempt("object", async () => {
  const client = s3(fromEnv());
  const body = Readable.from([Buffer.alloc(70000, "a"), Buffer.from("end")]);
  // A body of unknown length in the SDK's own chunks, with a checksum behind them.
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: "from node", Body: body, ContentLength: 70003 }));
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: "plain", Body: "plain" }));
  const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "from node" }));
  const text = await got.Body.transformToString();
  return { length: text.length, end: text.slice(-3), checksum: got.ChecksumCRC32 ?? null };
});
await attempt("assumed", async () => {
  const sts = new STSClient({ credentials: fromEnv() });
  const { Credentials: made } = await sts.send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: "node" }));
  const credentials = { accessKeyId: made.AccessKeyId, secretAccessKey: made.SecretAccessKey, sessionToken: made.SessionToken };
  return whoever(credentials);
});
for (const [name, provider] of [["instance", fromInstanceMetadata()], ["container", fromContainerMetadata()]]) {
  await attempt(name, async () => {
    const credentials = await provider();
    return { arn: await whoever(credentials), buckets: await names(credentials), id: credentials.accessKeyId };
  });
  await attempt(`${name} tables`, async () => new DynamoDBClient({ credentials: await provider() }).send(new ListTablesCommand({})));
}
process.stdout.write(JSON.stringify(outcomes));
